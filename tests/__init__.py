"""The tests of exchina."""

import os

os.environ.pop("COLUMNS", None)  # parallel workers are given a narrow terminal; tables are tested as a file has them
