"""What an index did, and what may be said of it. Pure: tables and arrays in, tables and arrays out.

performance, downside, relative     returns and risk of a series, alone and beside a benchmark
event_study, study_*, claims        moves on policy-shock dates, their tests, the sentences that may be printed
significance                        the tests themselves, one function each
honesty                             what can be claimed of a backtest that was chosen among others
look_ahead                          whether a rule reads the future
costs, capacity                     what trading takes off, and how much money fits
stress                              scenarios, with the policy measures and without
sweep                               variants of a rulebook
"""
