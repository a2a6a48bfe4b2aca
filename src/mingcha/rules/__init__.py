"""The rules engine: reads the rulebook strictly, checks it, screens snapshots, says what it could not do.

`book` loads, `lint` checks, `proving` runs examples, `run` screens a snapshot, `coverage` says what can run,
`lock` keeps versions, `card` shows a rule to a person, `scaffold` starts a new one.
"""
