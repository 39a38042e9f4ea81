-- Refusals: what is wrong in one sentence, and what to do about it in another. Raised as tables, so that the one place
-- that catches errors (process.lua) can tell a refusal from a fault of this file.

local refusal = {}

--- End the frame with two sentences for the artist.
function refusal.raise(message, next_step)
  error({message = message, next_step = next_step}, 0)
end

--- End the frame because Fusion no longer wants it.
function refusal.cancel()
  error({cancelled = true}, 0)
end

--- The sentences of anything that was raised.
function refusal.text(raised)
  if type(raised) == "table" and raised.message then
    return raised.message .. " " .. (raised.next_step or "")
  end
  return "PlateKey's Fuse failed: " .. tostring(raised) .. ". Send this line to whoever looks after PlateKey."
end

return refusal
