"""Tests of the ledgers: what fails, who else writes, and who spoils them."""
