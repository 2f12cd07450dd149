"""Run the builder tests of tensorflow-datasets. The extra `test` installs them."""

import pathlib
import shutil
import sys
import tempfile
from unittest import mock

import pytest
from helpers import data_folders

if sys.version_info < (3, 11):
    pytest.skip("no tensorflow-datasets", allow_module_level=True)

import tensorflow_datasets as tfds

from dfal_keras.datasets import builders

# Undeclared requirements of `tfds.testing`.
pytest.importorskip("dill")
pytest.importorskip("importlib_resources")


class _Case(tfds.testing.DatasetBuilderTestCase):
    __test__ = False
    MOCK_OUT_FORBIDDEN_OS_FUNCTIONS = False  # the files are memory-mapped

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.EXAMPLE_DIR = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.EXAMPLE_DIR)
        small = mock.patch.object(cls.DATASET_CLASS, "SOURCE", cls.make())
        small.start()
        cls.addClassCleanup(small.stop)


class TestQuickDraw(_Case):
    __test__ = True
    DATASET_CLASS = builders.QuickDraw
    SPLITS = {"train": 16, "test": 4}  # noqa: RUF012

    @classmethod
    def make(cls):
        return data_folders.small_quick_draw(cls.EXAMPLE_DIR)


class TestShoeBag(_Case):
    __test__ = True
    DATASET_CLASS = builders.ShoeBag
    SPLITS = {"train": 12, "test": 4}  # noqa: RUF012

    @classmethod
    def make(cls):
        return data_folders.small_shoe_bag(cls.EXAMPLE_DIR)
