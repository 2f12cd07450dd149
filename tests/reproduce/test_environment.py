"""What a run is made with, as its record says."""

import os
import platform

import pytest
from experiments.running import environment

AMD = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC
stepping\t: 1
bugs\t\t: a: b

processor\t: 1
cpu family\t: 26
model\t\t: 2
"""
ARM = """processor\t: 0
BogoMIPS\t: 243.75

Features\t: fp
"""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (AMD, "AMD EPYC (family 25, model 17, stepping 1)"),
        (ARM, platform.machine()),
        (None, platform.machine()),
    ],
)
def test_the_machine_is_named_by_its_first_processor(tmp_path, text, name):
    path = tmp_path / "cpuinfo"
    if text is not None:
        path.write_text(text)
    assert environment.machine(path) == f"{name}, {os.cpu_count()} cores"


def test_a_run_records_its_machine():
    assert environment.describe()["machine"].endswith(environment.machine())
