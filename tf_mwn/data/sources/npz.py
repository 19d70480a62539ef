"""An .npz file of arrays."""

from tf_mwn.data.arrays import npz_names
from tf_mwn.data.arrays import read_npz as read_arrays
from tf_mwn.data.sources.source import RawSource

_ARRAYS = "x y y_clean y_coarse x_test y_test x_meta y_meta sample_id".split()


def read_npz(path: str) -> RawSource:
    """Reads a source from an .npz file.

    The file holds `x` ([N, D] features, [N, H, W] or [N, H, W, C] images) and `y` (integers from
    0). Optional: `y_clean`, the true labels, which makes `y` the source's own noisy labels;
    `x_test` and `y_test`, without which a fifth of each class is split off; `x_meta` and `y_meta`,
    clean examples that the meta set is drawn from instead of the training part; `y_coarse`, the
    superclass of each example; `sample_id`.

    Raises:
        TypeError, ValueError: a file that is missing or no such archive; see `build_source` for
            arrays that cannot be used.
    """
    names = npz_names("dataset", path)
    if not {"x", "y"} <= set(names):
        raise ValueError(
            f"dataset: expected arrays x and y in {path}, received {', '.join(names) or 'none'}"
        )
    arrays = read_arrays("dataset", path, [name for name in names if name in _ARRAYS])
    noisy = "y_clean" in arrays
    given, clean = arrays.pop("y"), arrays.pop("y_clean", None)
    return RawSource(
        name=path,
        x=arrays.pop("x"),
        y=clean if noisy else given,
        y_given=given if noisy else None,
        clean_known=noisy,
        **arrays,
    )
