"""The limits on a fund, one file each; `exchina.fund.limit_tests` has what they have in common."""
