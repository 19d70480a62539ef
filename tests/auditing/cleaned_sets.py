"""Data sets with wrong labels in each layout, an audit of each, and how to clean it."""

import csv
import os

import numpy as np

from tests.data.images.image_fixtures import pictures, save
from tf_mwn.auditing import clean_copy
from tf_mwn.auditing.audit import audit_logits
from tf_mwn.auditing.cleaning import outcome
from tf_mwn.auditing.decisions import Decisions
from tf_mwn.data.sources.loading import load
from tf_mwn.data.splits.biased_data import prepare
from tf_mwn.files import Folder
from tf_mwn.runs.run import Run
from tf_mwn.settings.config import Config

NAMES = ('b, "c" d', "it's", "日本 é")
IMAGES = pictures(60)
TRUE = np.arange(60) % 3
GIVEN = np.where(np.arange(60) % 4 == 0, (TRUE + 1) % 3, TRUE)


def name_of(i):
    return f'no. {i}, "ü".png'


def image_of(path):
    """The number of the image in a file, which its name tells."""
    return int(os.path.basename(str(path)).split(",")[0].removeprefix("no. "))


def save_images(root, part="train", names=NAMES):
    """Saves the images in a folder for each given class, and ten as test part; the folder."""
    for i in range(60):
        save(root / part / names[GIVEN[i]] / name_of(i), IMAGES[i])
    for i in range(9):
        save(root / "test" / names[i % 3] / name_of(i), 255 - IMAGES[i])
    return root


def save_list(root, header=("path", "label"), **columns):
    """Saves the images flat and a list of them with these columns; the file."""
    root.mkdir(exist_ok=True)
    values = {"label": [NAMES[k] for k in GIVEN], **columns}
    with open(root / "list.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for i in range(60):
            save(root / "images" / name_of(i), IMAGES[i])
            row = {"path": f"images/{name_of(i)}", **{n: c[i] for n, c in values.items()}}
            writer.writerow([row[name] for name in header])
    return root / "list.csv"


def audited(dataset, number=image_of, true=TRUE, meta_size=0, **settings):
    """A run on a data set, and an audit of it that knows the true class of each image.

    Args:
        dataset: a path or a name.
        number: gives the number of an image of its path.
        true: the true classes by number, or by id without paths.
        meta_size: of the meta set.
        **settings: others of the run.
    """
    config = Config(dataset=str(dataset), meta_size=meta_size, **settings)
    source = load(str(dataset), label_column=config.label_column)
    data = prepare(source, config, 0)
    train = data.train
    path = None if train.path is None else np.array([os.fsdecode(p) for p in train.path], object)
    places = train.sample_id if path is None else list(map(number, path))
    logits = 9.0 * np.eye(data.num_classes)[[true[place] for place in places]]
    names = source.class_names
    audit = audit_logits(
        logits, train.label, train.x, train.sample_id, class_names=names, path=path
    )
    return Run("own", "cross_entropy", 0, config, Folder("nowhere")), audit


def clean(run, audit, destination, action, **decisions):
    """Writes the cleaned set; `decisions` are positions by decision, or (positions, labels)."""
    decided = None
    if decisions:
        rows, what, new = [], [], []
        for decision, given in decisions.items():
            positions, labels = given if decision == "relabel" else (given, audit.label[given])
            rows += list(positions)
            what += [decision] * len(positions)
            new += list(labels)
        decided = Decisions(np.array(rows), np.array(what, object), np.array(new))
    return clean_copy.write(run, audit, outcome(audit, action, decided), str(destination))
