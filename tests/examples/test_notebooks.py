"""The notebooks of the documentation run, and show what they say."""

import json
import pathlib

import numpy as np
import pytest

FOLDER = pathlib.Path(__file__).parent.parent.parent / "docs/notebooks"


@pytest.fixture
def run():
    """Runs the cells of a notebook; the names that it leaves."""
    from matplotlib import pyplot

    def run(name):
        cells = json.loads((FOLDER / f"{name}.ipynb").read_text())["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        names = {}
        exec(compile("\n\n".join(code), name, "exec"), names)
        return names

    yield run
    pyplot.close("all")


def test_notebooks_are_stored_without_outputs():
    """The site has those of the code as it is."""
    for path in FOLDER.glob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            assert not cell.get("outputs") and cell.get("execution_count") is None, path


def test_own_data(run):
    found = run("own_data")
    truth, test = found["truth"][found["train"]], (found["x_test"], found["y_test"])
    assert (found["cleaned"] != truth).sum() < 0.2 * (found["y"] != truth).sum()
    accuracy = {name: found[name].evaluate(*test, verbose=0)[1] for name in ("plain", "again")}
    accuracy["robust"] = found["model"].evaluate(*test, verbose=0)[1]
    assert accuracy["plain"] + 0.1 < min(accuracy["again"], accuracy["robust"])


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg")
def test_what_v_learned(run):
    found = run("what_v_learned")
    curve = np.array(found["model"].weight_net.curve(found["losses"]))
    assert curve[0] > 3 * curve[-1]
    assert found["history"]["planted_auc"][-1] > 0.9
    assert found["health"].checkup.weight_verdict is None
    assert np.corrcoef(found["share_wrong"], found["mean_weight"])[0, 1] < -0.8
