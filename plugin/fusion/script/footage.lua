-- The node's pictures as files. A script gets no pixels, so a Saver of its own renders what is connected to the node:
-- Composition.AddTool, Composition.Render, PlainInput.GetConnectedOutput (Fusion 8 Scripting Guide).

local footage = {}

local FLOAT, UNCOMPRESSED = 2, 0 -- of the Saver's OpenEXR format, as in PlateKey.setting

local Export = {}
Export.__index = Export

--- Make ready to export. The Saver rests bypassed, so that no other render writes its files.
-- @param node the PlateKey.
-- @param folder where files go, and with which they go.
-- @param wanted raises where the artist no longer wants it.
function footage.open(comp, node, folder, wanted)
  comp:Lock() -- a Saver would ask for a file's name otherwise (Composition.Lock)
  local added, saver = pcall(comp.AddTool, comp, "Saver", 0, 0)
  comp:Unlock()
  if not (added and saver) then
    refusal.raise(node.Name .. ": Fusion adds no Saver to this comp.", "Unlock the comp, then ask again.")
  end
  saver:SetAttrs({TOOLB_PassThrough = true})
  saver:SetInput("OpenEXRFormat.Depth", FLOAT)
  saver:SetInput("OpenEXRFormat.Compression", UNCOMPRESSED)
  return setmetatable({comp = comp, node = node, folder = folder, saver = saver, wanted = wanted}, Export)
end

--- Whether something is connected to an input of the node.
function Export:has(id)
  return self.node[id]:GetConnectedOutput() ~= nil
end

local function is_there(path)
  local file = system.open(path, "rb")
  return file ~= nil and file:close()
end

--- Render one frame of what is connected to an input; Fusion puts its number in the place of the last digits.
function Export:render(id, name, frame)
  self.wanted()
  local path = self.folder:file(("%s.%04d.exr"):format(name, frame))
  self.saver.Input = self.node[id]:GetConnectedOutput()
  self.saver:SetInput("Clip", self.folder:beside(name .. ".0000.exr"))
  self.saver:SetAttrs({TOOLB_PassThrough = false})
  local settings = {Tool = self.saver, Start = frame, End = frame, Wait = true, HiQ = true}
  local ran, done = pcall(self.comp.Render, self.comp, settings)
  self.saver:SetAttrs({TOOLB_PassThrough = true})
  if not (ran and done and is_there(path)) then
    refusal.raise(("%s: Fusion did not render frame %d of '%s'."):format(self.node.Name, frame, id),
      "Look at the Console and at the comp's render range.")
  end
end

--- The pattern of the files of a name, as the side-car reads it.
function Export:pattern(name)
  return self.folder:beside(name .. ".####.exr")
end

--- Take the Saver away again.
function Export:close()
  self.saver:Delete()
end

return footage
