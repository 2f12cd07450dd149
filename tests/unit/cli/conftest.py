import keras
import numpy as np
import pytest
from helpers import bad_calls, models


@pytest.fixture(scope="package")
def folder(tmp_path_factory):
    """Return a folder with models and pools of 64x64 color images, valid and not."""
    folder = tmp_path_factory.mktemp("query")
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    x = rng.uniform(0, 120, size=(60, 64, 64, 3))
    x[labels == 1, 16:48, 16:48, 0] += 80  # a red square
    x = x.astype("uint8")
    (folder / "images" / "more").mkdir(parents=True)
    for i, image in enumerate(x):
        place = folder / "images" / ("more" if i % 2 else "")
        keras.utils.save_img(place / f"{i:02}.png", image, scale=False)
    np.save(folder / "images.npy", x)
    np.savez(folder / "images.npz", x=x, y=labels)
    np.save(folder / "rows.npy", x.reshape(60, -1)[:, :12])
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 5, strides=3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, labels, epochs=3, verbose=0)
    model.save(folder / "model.keras")
    keras.Sequential([keras.Input((12,)), keras.layers.Dense(2)]).save(
        folder / "rows.keras"
    )
    keras.Sequential([keras.Input((12,)), keras.layers.Lambda(lambda x: x * 2)]).save(
        folder / "lambda.keras"
    )
    keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    ).save(folder / "any_size.keras")
    write_bad_files(folder)
    return folder


def write_bad_files(folder):
    """Write files that are not models, pools or rankings."""
    bad_calls.write_files(folder)
    models.linear(3, "sigmoid").save(folder / "sigmoids.keras")
    models.several_inputs().save(folder / "two.keras")
    (folder / "text.keras").write_text("weights")
    (folder / "broken").mkdir()
    (folder / "broken" / "image.png").write_bytes(b"not an image")
    (folder / "short.csv").write_text("rank,index\n1\n")
    (folder / "blank.csv").write_text("")
    (folder / "outside.csv").write_text("rank,index\n1,99\n")
    (folder / "negative.csv").write_text("rank,index\n1,-1\n")
    (folder / "fraction.csv").write_text("rank,index\n1,0.5\n")
    (folder / "of_array.csv").write_text("rank,index,file\n1,3,\n")
    (folder / "of_folder.csv").write_text("rank,index,file\n1,,a.png\n")
    (folder / "other.csv").write_text("name,size\na,2\n")
    (folder / "binary.csv").write_bytes(b"\xff\xfe\x00\x80")
