-- The operating system, as the rest of this file sees it; false where Lua has no ffi. Fusion's own classes are ffi
-- objects (`self.Comp` is a `FusionDoc *`), so a Fuse without ffi is not known to exist; it would be told so.

local system = type(ffi) == "table" and (jit.os == "Windows" and windows() or posix())

--- The text of a file; nil where there is none.
local function read(path)
  local file = system.open(path, "rb")
  local text = file and file:read("*a")
  if file then
    file:close()
  end
  return text
end

if system then
  system.read = read
end

return system
