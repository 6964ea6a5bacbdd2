"""Models of the money that comes into a fund and leaves it; one file a model.

A model takes the sessions (n, the first the launch) and the returns of the benchmark (n, the first 0), and gives a
`exchina.fund.flow_plan.FlowPlan`.
"""
