"""The Fuse's door to the operating system, and the scripts for people who have Fusion."""

import os
import re
import stat
import sys
from pathlib import Path

import pytest
from lupa import luajit21

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "tests" / "manual"

INTERPRETER = """#!{python}
import sys
from lupa.luajit21 import LuaRuntime
lua, (first, *rest) = LuaRuntime(), sys.argv[1:]
if first == "-e":
    lua.execute(rest[0])
else:
    lua.globals().arg = lua.table(*rest)
    lua.execute(open(first).read())
"""


STAND_IN = """
return function(text, node)
  local lines, files, tools = {}, {}, {}
  local comp = {}
  local words = {[0] = "its working space is not chosen", [2] = "Frame 1: made"}
  function comp:GetApp() return {GetAttrs = function() return {FUSIONS_FileName = "Stand-in"} end} end
  function comp:Lock() end
  comp.Unlock, comp.StartUndo, comp.EndUndo = comp.Lock, comp.Lock, comp.Lock
  function comp:AddTool(kind)
    if kind:find("Fuse") and node == "absent" then
      return nil
    end
    local tool = {Output = {}, Mask = {}, kind = kind, Delete = function(self) tools[self] = nil end}
    function tool:GetInput() return self.CleanPlate and words[self.Space] or "there is no clean plate" end
    tools[tool] = true
    return tool
  end
  function comp:Render(options)
    for tool in pairs(tools) do
      local fine = tool.kind == "Fuse.PlateKey" and tool.Space ~= 0 and tool.CleanPlate
      if fine or node == "careless" then
        files[options.Tool.Clip:gsub("0000", ("%04d"):format(options.Start))] = true
        return true
      end
    end
    return false
  end
  local io = {open = function(path) return files[path] and {seek = function() return 9 end, close = function() end} end}
  local known = {comp = comp, io = io, print = function(line) lines[#lines + 1] = line end, jit = jit, type = type,
    tostring = tostring, pcall = pcall, select = select, pairs = pairs, ipairs = ipairs, require = require,
    ffi = require("ffi"), EXRIO = function() return {} end, _VERSION = _VERSION,
    os = {getenv = os.getenv, time = os.time, remove = function(path) files[path] = nil end}}
  local environment = setmetatable({}, {__index = function(_, name)
    return known[name] == nil and error("undefined " .. name) or known[name]
  end})
  setfenv(assert(loadstring(text)), environment)()
  assert(next(tools) == nil, "tools are left")
  return table.concat(lines, "\\n")
end
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows has a LuaJIT of its own to run it with")
def test_files_processes_and_sockets_behave_as_the_manual_script_says(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PLATEKEY_FOREIGN", "yes")
    interpreter = tmp_path / "luajit"
    interpreter.write_text(INTERPRETER.format(python=sys.executable))
    interpreter.chmod(stat.S_IRWXU)
    lua = luajit21.LuaRuntime()
    run = lua.eval("function(path, ...) return assert(loadfile(path))(...) end")
    run(str(MANUAL / "fusion_system.lua"), str(tmp_path), str(interpreter))
    lua.execute("io.stdout:flush()")
    told = capfd.readouterr().out
    assert told.endswith("all is well\n")
    assert len(re.findall(r" ok$", told, re.MULTILINE)) > 15


def test_every_declaration_to_c_has_a_name_of_ours():
    for name in ("posix", "windows"):
        text = (ROOT / "plugin" / "fusion" / "fuse" / f"{name}.lua").read_text(encoding="utf-8")
        (block,) = re.findall(r"ffi\.cdef\(\[\[(.*?)\]\]\)", text, re.DOTALL)
        declared = re.findall(r"(\w+)\([^()]*\)\s*__asm__", block)
        assert len(declared) > 8
        assert all(function.startswith("platekey_") for function in declared)
        assert len(declared) == len(re.findall(r"__asm__", block)) == len(re.findall(r"\)[^;{}]*;", block))


def run_smoke(node):
    """Run the smoke script in a comp whose node does as it is told; its lines."""
    text = (MANUAL / "fusion_smoke.lua").read_text(encoding="utf-8")
    lua = luajit21.LuaRuntime()
    return lua.execute(STAND_IN)(text, node).splitlines()


def test_the_smoke_script_runs_and_tells_a_good_node_from_a_bad_one():
    good = run_smoke("good")
    assert "all is well" in good
    assert not [line for line in good if line.startswith("FAILED")]
    assert run_smoke("careless")[-2] == "2 checks failed"
    assert run_smoke("absent")[-2] == "1 checks failed"
