"""The command line: `python -m dfal_keras query --help`."""

import pathlib
import sys

import dfal_keras


def _leave_out_working_folder():
    """Import nothing more from the working folder, which `python -m` puts first.

    It may be the folder of a session that somebody else has made. It stays if this
    package was imported from there.
    """
    is_left_out = sys.flags.isolated or getattr(sys.flags, "safe_path", False)
    folder_of_package = pathlib.Path(dfal_keras.__file__).parents[1]
    if not is_left_out and sys.path[0] != str(folder_of_package):
        del sys.path[0]


if __name__ == "__main__":
    _leave_out_working_folder()
    from dfal_keras.cli.main import main

    sys.exit(main())
