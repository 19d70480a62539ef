"""`python -m launch.predict`: classes of images in files, folders, lists and arrays."""

import csv
import io

import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver
from scipy.special import softmax

from tests.data.images.image_fixtures import save
from tests.launch.finished_runs import train
from tf_mwn.data.images.decoding import ImageFormat, read_image
from tf_mwn.launch.command_line import parse
from tf_mwn.launch.predict import main


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    from tf_mwn.runs.finished_run import FinishedRun

    (folder,) = train(tmp_path_factory.mktemp("runs"), ["cross_entropy"])
    return FinishedRun.load(folder)


@pytest.fixture(scope="module")
def wanted(run):
    return softmax(run.logits(run.data.test)[:12].astype(np.float64), axis=1)


@pytest.fixture(scope="module")
def root(run, tmp_path_factory):
    """The first twelve test digits as files, in a list and as arrays; and what is no input."""
    root = tmp_path_factory.mktemp("in puts")
    x = np.asarray(run.data.test.x[:12])
    names = [f"{i:02d}" if i % 3 else f'sub/{i:02d}, "é"' for i in range(12)]
    for name, image in zip(names, x, strict=True):
        save(root / "images" / f"{name}.png", image)
    (root / "images" / "notes.txt").touch()
    with open(root / "list.csv", "w", newline="") as file:
        csv.writer(file).writerows(
            [["label", "path"], *([0, f"images/{name}.png"] for name in names)]
        )
    np.savez(root / "x.npz", x=x)
    np.savez(root / "small.npz", x=x[:, :4])
    (root / "bad.png").write_bytes((root / "images" / "01.png").read_bytes()[:30])
    (root / "empty").mkdir()
    save(root / "large.png", np.repeat(np.repeat(np.repeat(x[0], 2, 0), 2, 1), 3, 2))
    return root


def launch(*arguments):
    with flagsaver.flagsaver():
        main(parse(["launch", *map(str, arguments)], operands=True))
    flags.FLAGS.unparse_flags()


def rows_of(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def test_all_kinds_of_inputs_agree_with_the_run(run, root, wanted, capsys):
    images = sorted((root / "images").rglob("*.png"), key=lambda path: path.name)
    launch(f"--run={run.path}", *images, root / "list.csv", root / "x.npz", images[3])
    header, *rows = rows_of(capsys.readouterr().out)
    assert header == ["file", "row", "class", "probability"] + [f"p({i})" for i in range(10)]
    assert len(rows) == 37 and rows[-1][0] == str(images[3])
    found = np.array([row[4:] for row in rows], float)
    np.testing.assert_allclose(found[:36], np.tile(wanted, (3, 1)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[36], wanted[3], rtol=1e-4, atol=1e-6)
    for row in rows:
        best = int(np.argmax(np.array(row[4:], float)))
        assert row[2] == str(best) and float(row[3]) == float(row[4 + best])
    assert [row[0] for row in rows[:24]] == 2 * list(map(str, images))
    assert [row[:2] for row in rows[24:36]] == [[str(root / "x.npz"), str(i)] for i in range(12)]
    assert {row[1] for row in rows[:24]} == {""}


def test_the_likeliest_classes_of_a_folder_in_a_file(run, root, wanted, tmp_path, capsys):
    output = tmp_path / "found.csv"
    launch(
        f"--run={run.path}", "--top_k=3", "--noprobabilities", f"--output={output}", root / "images"
    )
    assert capsys.readouterr().out.splitlines()[-1] == str(output)
    header, *rows = rows_of(output.read_text())
    assert header[2:] == ["class", "probability"] + [
        f"{what}_{k}" for k in (2, 3) for what in ("class", "probability")
    ]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows) and len(rows) == 12
    for row in rows:
        p = wanted[int(row[0].rpartition("/")[2][:2])]
        best = np.argsort(-p)[:3]
        assert row[2::2] == [str(k) for k in best]
        np.testing.assert_allclose(np.array(row[3::2], float), p[best], rtol=1e-4, atol=1e-6)


def test_an_image_of_another_size_and_colour(run, root, capsys):
    launch(f"--run={run.path}", "--verbosity=0", root / "large.png")
    printed = capsys.readouterr()
    (row,) = rows_of(printed.out)[1:]
    small = read_image(str(root / "large.png"), ImageFormat(8, 8, 1))[None]
    logits = run.classifier(run.preprocess(small)).numpy()[0]
    np.testing.assert_allclose(np.array(row[4:], float), softmax(logits), rtol=1e-4, atol=1e-6)
    assert "1 images are scaled and cropped to 8x8" in printed.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "files: expected images, folders, CSV or .npz files"),
        (["nowhere.png"], "files: expected a file or folder, received nowhere.png"),
        (["{root}/bad.png"], "received 1 unusable: {root}/bad.png ("),
        (["{root}/empty"], "files: expected JPEG or PNG images in {root}/empty, received none"),
        (["{root}/small.npz"], "files: expected inputs of shape (8, 8, 1), received (4, 8, 1)"),
        (["{root}/list.csv", "--top_k=11"], "top_k: expected at most 10 classes of the run"),
        (["{root}/nowhere.npz"], "{root}/nowhere.npz"),
        (["{root}/list.csv", "--output={root}/images"], "output: expected a file in a folder that"),
    ],
)
def test_mistakes(run, root, capsys, arguments, message):
    arguments = [a.format(root=root) for a in arguments]
    with pytest.raises(SystemExit) as stopped:
        launch(f"--run={run.path}", *arguments)
    flags.FLAGS.unparse_flags()
    printed = capsys.readouterr()
    assert stopped.value.code == 1 and printed.out == ""
    assert printed.err.startswith("error: ") and printed.err.count("\n") == 1
    assert message.format(root=root) in printed.err
