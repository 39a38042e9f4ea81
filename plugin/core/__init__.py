"""What the nodes of all hosts share: the way to the side-car, knobs, runs, manifests, states, status, refusals.

Relative imports only, so that the package works under whatever name it is installed as.
"""
