"""When each session is due, and what became of it: the plan of `plan`, the judgement of `windows`.

A session's times are a function of the plan and of when the person was allocated and came: never of the arm.
"""
