"""After a render: one page about a shot, which holds everything it shows.

`result` reads a delivered file, `figures` measures it, `ranking` says which frames to look at first, `pictures` and
`plots` draw, `page` puts them together.
"""
