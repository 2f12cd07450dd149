"""The arguments of the commands of a session."""


def add_commands(commands) -> None:
    """Add the commands of a session.

    Args:
        commands: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    _add_init(commands)
    _add_tell(
        commands,
        "import",
        "add labels that exist already",
        "Add labels that exist already, from a CSV file with the columns `file` "
        "and `label`, or an export of Label Studio or CVAT.",
    )
    _add_ask(commands)
    _add_tell(
        commands,
        "tell",
        "add or correct labels",
        "Add or correct labels, from queries.csv, or an export of Label Studio or "
        "CVAT. The latest label of an image counts; `?` means that the annotator "
        "can't tell.",
    )
    _add_train(commands)
    _add_label(commands)
    _add_predict(commands)
    _add_check(commands)
    _add(commands, "status", "show labels, open queries and results", "")


def add_strategy_options(add) -> None:
    """Add the options of `init` and `query` for how images are chosen.

    Args:
        add: Method `add_argument` of the command.
    """
    add(
        "--strategy",
        default="dfal",
        help="dfal, bald, ceal, core_set, egl, uncertainty, random, diverse_dfal, "
        "cost_effective_dfal, one of scikit-activeml such as badge, or your own as "
        "module:Class (default: %(default)s)",
    )
    add(
        "--num-candidates",
        type=int,
        help="size of the random subset of the images to choose from (default: the "
        "strategy's: all for ceal, uncertainty and random, 300 for the others)",
    )


def add_model_options(add) -> None:
    """Add the further options that `init` and `query` share.

    Args:
        add: Method `add_argument` of the command.
    """
    add(
        "--image-size",
        type=int,
        nargs=2,
        metavar=("HEIGHT", "WIDTH"),
        help="size of the images, for a folder and a model that accepts any size",
    )
    add("--seed", type=int, default=0, help="random seed (default: %(default)s)")
    add(
        "--allow-lambda",
        action="store_true",
        help="load a model that contains Python code; only if you trust its origin",
    )


def _add(commands, name, help, description):
    command = commands.add_parser(name, help=help, description=description or None)
    command.add_argument("session", help="the session's folder")
    if name != "init":
        command.add_argument(
            "--trust",
            action="store_true",
            help="run Python code that the session brings: Lambda layers of its model, "
            "a strategy of its own; only if you trust its origin. The file "
            "~/.config/dfal-keras/trusted_sessions may name sessions in place of it",
        )
    return command.add_argument


def _add_init(commands):
    add = _add(
        commands,
        "init",
        "begin a session",
        "Begin a session: a folder in which images are labeled between trainings.",
    )
    add(
        "--pool",
        required=True,
        dest="images",
        metavar="POOL",
        help="folder of images, with its subfolders",
    )
    add(
        "--model",
        default="MobileNetV3Small",
        help="a classifier that takes pixels from 0 to 255, a .keras file; or the name "
        "of a new network: LeNet5, VGG8 or one of keras.applications (default: "
        "%(default)s)",
    )
    add(
        "--weights",
        default="imagenet",
        help="weights of a new network of keras.applications: imagenet, which are "
        "downloaded; none; or a .weights.h5 or .keras file of the network without its "
        "top (default: %(default)s)",
    )
    add(
        "--classes",
        required=True,
        nargs="+",
        metavar="CLASS",
        help="names of the classes, in the order of the outputs of a .keras file",
    )
    add_strategy_options(add)
    for flag, value, help in (
        ("--trained", True, "treat the .keras file as trained"),
        ("--untrained", False, "treat it as untrained: begin with diverse queries"),
    ):
        add(
            flag,
            dest="is_trained",
            action="store_const",
            const=value,
            help=f"{help} (default: untrained if it predicts one class for nearly all "
            "images)",
        )
    add_model_options(add)


def _add_ask(commands):
    add = _add(
        commands,
        "ask",
        "choose the images to label next",
        "Choose the images to label next. Writes queries.csv, the page queries.html to "
        "label them in a browser, and contact sheets. If no image of the last query is "
        "labeled, the same images are queried again; skipped images come last.",
    )
    add(
        "--num-queries",
        type=int,
        default=10,
        help="number of images to choose (default: %(default)s)",
    )
    add(
        "--sheets",
        choices=("png", "pdf", "none"),
        default="png",
        help="form of the contact sheets (default: %(default)s)",
    )
    add(
        "--label-studio",
        dest="with_label_studio",
        action="store_true",
        help="also write tasks and a labeling configuration for Label Studio",
    )
    add(
        "--cvat",
        dest="with_cvat",
        action="store_true",
        help="also write files for CVAT",
    )
    add(
        "--prefix",
        default="",
        help="what Label Studio or CVAT needs before an image's name, such as a URL",
    )


def _add_tell(commands, name, help, description):
    add = _add(commands, name, help, description)
    add(
        "path",
        metavar="file",
        nargs="?",
        help="the file with the labels (default: the newest of queries.csv in the "
        "session and in the downloads)",
    )
    add(
        "--by-folder",
        action="store_true",
        help="file is a folder with a subfolder of images for each class",
    )
    add(
        "--prefix",
        default="",
        help="what precedes the names of images in the file",
    )
    add(
        "--new-class",
        nargs="+",
        default=[],
        dest="new_classes",
        metavar="CLASS",
        help="add these classes",
    )
    add("--who", help="name of the annotator (default: from the file, or the user's)")


def _add_label(commands):
    add = _add(
        commands,
        "label",
        "label images in a browser",
        "Label images in a browser, from a server on this machine. Every answer is "
        "stored at once; a button trains the model and asks again.",
    )
    add(
        "--num-queries",
        type=int,
        default=20,
        help="number of images to choose at a time (default: %(default)s)",
    )
    add("--restarts", type=int, default=5, help="trainings (default: %(default)s)")
    add(
        "--check",
        type=int,
        default=0,
        metavar="N",
        help="show the random sample of N images of the command `check`",
    )
    add(
        "--review",
        type=int,
        default=0,
        metavar="N",
        help="show the N labels and the N predictions that are most likely wrong, as "
        "`predict --review` does",
    )
    add("--port", type=int, default=0, help="port of the server (default: any)")
    add("--no-browser", action="store_true", help="do not open the browser")


def _add_predict(commands):
    add = _add(
        commands,
        "predict",
        "write the class of every image",
        "Write the class of every image of the folder: your label, else what the model "
        "predicts, with its probability, the second class and their margin.",
    )
    add(
        "--out",
        help="file for the classes (default: predictions.csv in the session)",
    )
    add(
        "--sort-into",
        metavar="FOLDER",
        help="copy the images into a folder for each class, in this new folder",
    )
    add("--link", action="store_true", help="make links in place of copies")
    add(
        "--review",
        type=int,
        default=0,
        metavar="N",
        help="also write a page with the N labels and the N predictions that are most "
        "likely wrong; trains three models",
    )


def _add_check(commands):
    add = _add(
        commands,
        "check",
        "ask for a random sample, to know how good the predictions are",
        "Ask for a random sample of the images, which is never trained on. Its labels "
        "give the accuracy on the images that are not labeled, with an interval.",
    )
    add(
        "--num",
        type=int,
        default=100,
        help="size of the sample; a larger one adds images (default: %(default)s)",
    )


def _add_train(commands):
    add = _add(
        commands,
        "train",
        "train the model on the labels",
        "Train the model on the labels, and test it on a part of them that is held "
        "out. The labels were chosen because they are hard, so the accuracy on all "
        "images is usually higher.",
    )
    add(
        "--initial",
        choices=("fresh", "keep"),
        default="fresh",
        help="begin with new random weights, or with those of the model that the "
        "session was created with; frozen layers stay frozen (default: %(default)s)",
    )
    add(
        "--unfreeze",
        type=int,
        default=0,
        metavar="N",
        help="fine-tune this many frozen layers, from the last one on",
    )
    add(
        "--held-out",
        type=float,
        default=0.2,
        help="part of the labels of each class to test with (default: %(default)s)",
    )
    add(
        "--allow-missing-classes",
        action="store_true",
        help="train even if a class has too few labels",
    )
    add(
        "--restarts",
        type=int,
        default=5,
        help="number of trainings, of which the best is kept (default: %(default)s)",
    )
    add(
        "--epochs",
        type=int,
        default=100,
        help="maximum number per training (default: %(default)s)",
    )
    add(
        "--patience",
        type=int,
        help="epochs without a lower validation loss before a training stops "
        "(default: 5, or more for few labels: 40 steps)",
    )
    add(
        "--batch-size",
        type=int,
        default=32,
        help="images in a training step; the last step of an epoch is skipped if it "
        "has less than a quarter of them (default: %(default)s)",
    )
