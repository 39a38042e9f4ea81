"""Subjects with exact linear alpha, rendered by Blender's Cycles.

    bodies, skeleton, poses -> clothing, hair, worn -> person      what there is, in numpy alone
    shapes, surfaces        -> animal, plant, thing, haze
    catalogue: seed -> subject; camera: light and lens
    materials, scene -> render -> worker                           Blender's own Python, `bpy`

`engine.training.rendering` drives the worker and describes the files; `assets.json` names what is taken from others.
A subject is a pure function of its seed and of time: a sequence is the same subject at consecutive frames.
"""
