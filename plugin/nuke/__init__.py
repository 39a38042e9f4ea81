"""PlateKey's node for Nuke: a Group that keys before the render and plays the results back.

Nuke renders row by row and forbids a render inside a render, so the node works in two steps. "Process" exports what
flows into its inputs, has the side-car key it, and points a Read inside the Group at the layers. After that the
script renders like any other, also where PlateKey is not installed.

    anatomy -> build, panel          the Group: what is in it, how it is made
    graph -> stream -> state         what flows into it, and whether its results are still true
    direct, exchange -> process      how frames get out, and the results in
    guard, buttons, driver           who asks: a render, an artist, a farm
"""
