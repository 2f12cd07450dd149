"""Quick-Draw and Shoe-Bag for tensorflow-datasets.

`load_data` needs neither; they are for `tf.data` pipelines. Importing this module
registers both:

    import tensorflow_datasets as tfds
    import dfal_keras.datasets.builders

    dataset = tfds.load("quick_draw", split="train", as_supervised=True)
"""

import itertools

import tensorflow_datasets as tfds

from dfal_keras.datasets import download, prepared_arrays, quick_draw, shoe_bag
from dfal_keras.datasets import source as sources

_CITATION = """@article{ducoffe2018adversarial,
  title={Adversarial Active Learning for Deep Networks: a Margin Based Approach},
  author={Ducoffe, Melanie and Precioso, Frederic},
  journal={arXiv preprint arXiv:1802.09841},
  year={2018}
}"""


class _Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """What both have in common: images of a class, a file a class."""

    VERSION = tfds.core.Version("1.0.0")
    SOURCE: sources.Source
    HOMEPAGE: str | None = None

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=self.SOURCE.image_shape),
                    "label": tfds.features.ClassLabel(names=self.SOURCE.class_names),
                }
            ),
            supervised_keys=("image", "label"),
            homepage=self.HOMEPAGE,
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager):
        paths = self._paths(dl_manager)
        return {
            part: self._generate_examples(paths, part) for part in prepared_arrays.PARTS
        }

    def _generate_examples(self, paths, part):
        for file in self.SOURCE.files:
            images = itertools.chain.from_iterable(
                sources.chunks(self.SOURCE, file, paths[file.name], part)
            )
            for position, image in enumerate(images):
                key = f"{file.class_name}_{position}"
                yield key, {"image": image, "label": file.class_name}

    def _urls(self):
        return {file.name: file.url for file in self.SOURCE.files}


class QuickDraw(_Builder):
    """Dolphins, cats, faces and angels of Quick, Draw!, 80/20 per class. CC BY 4.0."""

    SOURCE = quick_draw.SOURCE
    HOMEPAGE = "https://github.com/googlecreativelab/quickdraw-dataset"
    url_infos = download.url_infos(quick_draw.SOURCE)

    def _paths(self, dl_manager):
        return dl_manager.download(self._urls())


class ShoeBag(_Builder):
    """Shoes and handbags of the iGAN project; the last 2,000 of each are for tests."""

    SOURCE = shoe_bag.SOURCE
    HOMEPAGE = "https://github.com/junyanz/iGAN"
    url_infos = download.url_infos(shoe_bag.SOURCE)  # none are known
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Needed in manual_dir: {download.instructions(shoe_bag.SOURCE)}. Where "
        "manual_dir is empty, they are downloaded."
    )

    def _paths(self, dl_manager):
        try:
            folder = dl_manager.manual_dir
        except AssertionError:  # tensorflow-datasets' word for an empty folder
            folders = dl_manager.download_and_extract(self._urls())
            return {name: folder / name for name, folder in folders.items()}
        return {file.name: folder / file.name for file in self.SOURCE.files}
