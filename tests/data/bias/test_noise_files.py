"""Files of noise matrices and of probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.damage import FEW, damaged, one_line, write
from tests.data.bias.toy_ids import ids_source
from tf_mwn.data.bias.noise_files import read_matrix, read_probabilities

_MATRICES = st.sampled_from(["f8", "i4", "c8", "U1"]).flatmap(
    lambda kind: arrays.arrays(kind, st.sampled_from([(3, 3), (2, 3), (3,), ()]))
)
SOURCE = ids_source(np.arange(3))
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.45, 0.45], [0.0, 0.0, 1.0]])


def test_matrix_files_agree(tmp_path):
    matrix = np.array([[0.75, 0.25], [0.0, 1.0]])
    np.save(tmp_path / "T.npy", matrix)
    np.savetxt(tmp_path / "T.csv", matrix, delimiter=",")
    for name in ("T.npy", "T.csv"):
        np.testing.assert_array_equal(read_matrix(str(tmp_path / name), 2), matrix)


BAD_MATRICES = {
    "sum": ("0.5,0.4\n0,1\n", ValueError, r"T.csv: expected rows .* sum of 0.9 in row 0"),
    "negative": ("1.5,-0.5\n0,1\n", ValueError, "least entry -0.5"),
    "shape": ("1,0,0\n0,1,0\n0,0,1\n", ValueError, r"shape \[2, 2\] in .*T.csv, received \[3, 3\]"),
    "words": ("a,b\n0,1\n", ValueError, "rows of numbers in .*T.csv, received"),
    "ragged": ("1,0\n1\n", ValueError, "rows of numbers in .*T.csv, received"),
}


@pytest.mark.parametrize("text, error, message", BAD_MATRICES.values(), ids=BAD_MATRICES.keys())
def test_bad_matrices_are_refused(tmp_path, text, error, message):
    (tmp_path / "T.csv").write_text(text)
    with pytest.raises(error, match=message) as caught:
        read_matrix(str(tmp_path / "T.csv"), 2)
    assert "\n" not in str(caught.value)


def test_bad_matrix_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="noise_matrix: .* received .*no.csv, which does not"):
        read_matrix(str(tmp_path / "no.csv"), 2)
    with pytest.raises(ValueError, match="noise_matrix: .* .npy or .csv, received .*T.txt"):
        read_matrix(str(tmp_path / "T.txt"), 2)
    np.save(tmp_path / "T.npy", np.array([["a"]]))
    with pytest.raises(TypeError, match="numbers in .*T.npy"):
        read_matrix(str(tmp_path / "T.npy"), 2)


def test_probability_files_agree_and_align(tmp_path):
    ids = np.array([4, 9, 2])
    np.save(tmp_path / "p.npy", PROBABILITIES.astype(np.float32))
    np.savez(tmp_path / "p.npz", sample_id=ids[::-1], probability=PROBABILITIES[::-1])
    for name in ("p.npy", "p.npz"):
        got = read_probabilities(str(tmp_path / name), ids_source(ids))
        np.testing.assert_allclose(got, PROBABILITIES, atol=1e-7)
        np.testing.assert_allclose(got.sum(axis=1), 1.0, rtol=1e-15)


def test_probabilities_of_all_rows_of_the_file(tmp_path):
    """The rows that were split off for the test are in it too."""
    source = ids_source([0, 2, 3], test=[1, 4], num_rows=5)
    every = PROBABILITIES[[0, 2, 1, 2, 0]]
    np.save(tmp_path / "p.npy", every)
    np.savez(tmp_path / "p.npz", sample_id=np.arange(5)[::-1], probability=every[::-1])
    for name in ("p.npy", "p.npz"):
        found = read_probabilities(str(tmp_path / name), source)
        np.testing.assert_allclose(found, PROBABILITIES[[0, 1, 2]], atol=1e-7)


def test_bad_probability_files_are_refused(tmp_path):
    path, ids = str(tmp_path / "p.npz"), np.arange(3)
    np.savez(path, sample_id=ids, logits=PROBABILITIES)
    with pytest.raises(ValueError, match="sample_id and probability in .*, received sample_id, lo"):
        read_probabilities(path, ids_source(ids))
    np.savez(path, sample_id=ids, probability=PROBABILITIES[:, :2])
    with pytest.raises(ValueError, match=r"shape \[3, 3\] in .*p.npz, received \[3, 2\]"):
        read_probabilities(path, ids_source(ids))
    np.savez(path, sample_id=ids, probability=PROBABILITIES * [[1], [2], [1]])
    with pytest.raises(ValueError, match=r"sum to 1 in .*received \[0.2, 0.9, 0.9\] in row 1"):
        read_probabilities(path, ids_source(ids))
    with pytest.raises(ValueError, match="received none for 1, the first with id 3"):
        read_probabilities(path, ids_source(np.arange(4)))


@FEW
@given(content=damaged(b"0.8,0.1,0.1\n0.2,0.6,0.2\n0.0,0.5,0.5\n"))
def test_any_matrix(tmp_path, content):
    matrix = one_line(read_matrix, write(tmp_path / "t.csv", content), 3)
    assert matrix is None or np.allclose(matrix.sum(axis=1), 1, atol=1e-3)


@FEW
@given(matrix=_MATRICES)
def test_any_array_as_a_matrix(tmp_path, matrix):
    np.save(tmp_path / "t.npy", matrix)
    for read in (read_matrix, lambda path, _: read_probabilities(path, SOURCE)):
        found = one_line(read, str(tmp_path / "t.npy"), 3)
        assert found is None or np.allclose(found.sum(axis=1), 1, atol=1e-3)
