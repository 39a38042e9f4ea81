"""The link: host nodes ask the side-car for frames, one JSON line a message, over a loopback socket.

A client finds port and token in ``run/link.json`` of PlateKey's folder, says ``hello``, and then calls methods:

    {"id": 1, "method": "hello", "params": {"token": "...", "link": 1}}
    {"id": 2, "method": "matte", "params": {"frames": "/shot/plate.####.exr", "clean_plate": "1001", ...}}

An answer is ``{"id": ..., "result": ...}`` or ``{"id": ..., "error": {reason, message, next_step, facts}}``;
a matte call tells ``{"id": ..., "event": {...}}`` on the way. Pixels are files, named by path.
"""
