"""The optimum of all caps together: closed forms where they exist, a cone solver and branch and bound where not."""
