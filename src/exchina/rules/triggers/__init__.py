"""Events that call a review, one file each: facts -> the day by which each was known, the company, the reason."""
