"""The register of each kind of rule; a rule file enters itself with `@screen("name")` and the like."""

from exchina.plugins import Register

screen = Register("screen", "exchina.rules.screens")
selection = Register("selection", "exchina.rules.selection")
weighting = Register("weighting", "exchina.rules.weighting")
cap = Register("cap", "exchina.rules.capping")
turnover = Register("turnover control", "exchina.rules.turnover")
trigger = Register("trigger", "exchina.rules.triggers")  # of event-driven reviews

REGISTERS = {"screen": screen, "select": selection, "weight": weighting, "cap": cap, "turnover": turnover}
