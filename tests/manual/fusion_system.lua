--[[ What the Fuse asks of the operating system, tried without Fusion: files, folders, processes, sockets.

Run it with any LuaJIT 2.1, on Windows above all, from the repository's root; FOLDER, an ASCII path, takes files for a moment:

    luajit tests/manual/fusion_system.lua FOLDER

It prints a line for each thing tried and ends with "all is well", or with what is not. Under Linux the tests run it too.
--]]

local folder, interpreter = ...
ffi = require("ffi")

local function section(name)
  return assert(loadfile("plugin/fusion/fuse/" .. name .. ".lua"))
end

posix, windows = section("posix"), section("windows")
system = section("system")()

local function try(what, holds, found)
  print(("%-40s %s"):format(what, holds and "ok" or "FAILED: " .. tostring(found)))
  assert(holds, what)
end

local function await(condition)
  for _ = 1, 100 do
    local found = condition()
    if found then
      return found
    end
    system.sleep(0.1)
  end
  return nil
end

local function inside(name)
  return folder .. system.separator .. name
end

print(jit.os, jit.arch, jit.version)
try("a variable that is not set", system.environment("PLATEKEY_NO_SUCH") == nil)
try("the user's folder", #system.user_folder() > 0)
try("a process number", system.process_id() > 0)

local made, why = system.make_folder(inside("exchänge ☃ 1"))
try("a folder with umlauts and spaces", made, why)
made, why = system.make_folder(inside("exchänge ☃ 1"))
try("a folder that is there", made == false and why == nil, why)
made, why = system.make_folder(inside("no") .. system.separator .. "such")
try("a folder in none", made == false and type(why) == "string", why)

local path = inside("exchänge ☃ 1") .. system.separator .. "frame é.exr"
local bytes = "\118\047\049\001\000\255\r\n\026" .. ("x"):rep(200000)
local file = system.open(path, "wb")
try("writing a file", file and file:write(bytes) and file:close(), path)
try("reading it back", system.read(path) == bytes, path)
system.remove_file(path)
try("removing it", system.read(path) == nil, path)
system.remove_folder(inside("exchänge ☃ 1"))
try("removing the folder", system.make_folder(inside("exchänge ☃ 1")))
system.remove_folder(inside("exchänge ☃ 1"))
try("a file in no folder", system.open(inside("no") .. system.separator .. "such", "wb") == nil)

local luajit = interpreter or arg[-1]
local script, said = inside("say it.lua"), inside("said.txt")
file = system.open(script, "wb")
file:write([[
  local file = io.open("said.txt", "wb")
  file:write(arg[1], "|", arg[2], "|", tostring(os.getenv("PLATEKEY_FOREIGN")))
  file:close()
  os.exit(tonumber(arg[3]))
]])
file:close()
local words = {[[a "b" c\]], "two words"}
local failed = system.start({luajit, script, words[1], words[2], "0"}, folder, {"PLATEKEY_FOREIGN"})
local heard = await(function() return system.read(said) end)
try("starting a command with odd arguments", heard == words[1] .. "|" .. words[2] .. "|nil", heard)
try("one that ends well has not failed", failed() == nil)
failed = system.start({luajit, script, "a", "b", "3"}, folder, {"PLATEKEY_FOREIGN"})
local code = await(failed)
try("one that fails tells its exit code", code == 3, code)
failed = system.start({inside("no such program"), "x"}, folder, {"PLATEKEY_FOREIGN"})
try("one that is not there has failed", await(failed) ~= nil)
failed = system.start(('"%s" -e "os.exit(7)"'):format(luajit), folder, {"PLATEKEY_FOREIGN"})
code = await(failed)
try("a command in one line", code == 7, code)
system.remove_file(script)
system.remove_file(said)

try("a port where nobody listens", system.connect(9) == nil)
print("all is well")
