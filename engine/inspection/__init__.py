"""Before a render: whether this clean plate can work for this shot, from a few of its frames.

`measure` looks at one frame with the stages that a render uses, `verdicts` weighs the figures, `findings` says what no
figure holds, `picture` shows where.
"""
