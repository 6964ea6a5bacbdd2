"""PURE. Series derived from an index: another currency, a hedge, a decrement, leverage. One kind a file.

Each kind takes the `exchina.calculation.derived_register.Parent` and its settings and gives one level a session. What a
level says depends on no later session: appending sessions leaves every earlier bit as it is.
"""
