"""The demo's shot: a woman walks through a room, filmed by hand, with the truth of every pixel. `shot` begins it."""
