"""Metadata and version ranges of tf_mwn; tested versions are in constraints.txt."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "tf_mwn/__init__.py").read_text()).group(1)

DATA = [
    "tensorflow-datasets>=4.9.10",
    "importlib_resources>=5",  # needed by tensorflow-datasets, which does not declare it
    "pillow>=10",
]
PLOTS = ["matplotlib>=3.9", "tensorboard>=2.20"]  # TensorFlow no longer brings TensorBoard
TUNE = ["keras-tuner>=1.4.8", *PLOTS]  # every trial is a run with its figures
ALL = [*DATA, *TUNE]

setup(
    name="tf-mwn",
    version=VERSION,
    description="Robust deep learning by meta-learning: Meta-Weight-Net in TensorFlow and Keras",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    author="The tf_mwn developers",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    keywords="label noise, class imbalance, meta-learning, sample weighting, robust losses, Keras",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    packages=find_packages(include=["tf_mwn", "tf_mwn.*", "launch"]),
    package_data={"tf_mwn": ["__init__.pyi", "py.typed"], "tf_mwn.auditing": ["page.html"]},
    entry_points={"console_scripts": ["tf-mwn = tf_mwn.launch.console:main"]},
    python_requires=">=3.11,<3.14",
    install_requires=[
        # Bounded, for tf_mwn/engine/keras_internals.py holds names that a release may drop.
        "tensorflow>=2.21,<2.22",
        "keras>=3.15,<3.16",
        "numpy>=1.26",
        "scikit-learn>=1.6",
        "scipy>=1.11",  # comes with scikit-learn
        "absl-py>=2.1",
        "rich>=13",  # comes with Keras
    ],
    extras_require={
        "data": [*DATA],  # TFDS, images in files
        "plots": [*PLOTS],  # figures and TensorBoard events, which every run of a launcher writes
        "tune": [*TUNE],
        "all": [*ALL],
        "gpu": ["tensorflow[and-cuda]>=2.21,<2.22"],
        "cleanlab": ["cleanlab>=2.7"],  # its rankings, beside those of tf_mwn.audit
        "docs": [
            "mkdocs-material>=9.7",
            "mkdocstrings[python]>=1.0",
            "nbconvert>=7.16",
            "ipykernel>=6.29",
        ]
        + ["ruff>=0.17", *PLOTS],  # ruff sets the signatures, the notebooks draw figures
        "test": [*ALL]
        + ["pytest>=9", "pytest-xdist>=3.8", "hypothesis>=6.170", "ruff>=0.17", "mypy>=2.4"]
        + ["pandas>=2.2"],
    },
)
