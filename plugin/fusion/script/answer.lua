-- What the side-car answered, as lines for the node: the same as the other nodes' (plugin/core/inspection.py, adaptation.py).

local answer = {}

local CONCLUSIONS = {
  good = "This plate works.",
  watch = "This plate can work; look at what is said here.",
  bad = "This plate will not give a clean matte as it is.",
}

local function line(name, value)
  return ("%-12s%s"):format(name:sub(1, 1):upper() .. name:sub(2), value)
end

--- What an inspection found: what is not good, each with its tip under it, and the word on the whole.
function answer.inspection(found)
  local lines, good = {}, {}
  local function add(verdict, words, tip)
    lines[#lines + 1] = line(verdict, words)
    lines[#lines + 1] = tip and tip ~= "" and line("do", tip) or nil
  end
  if found.missing and found.missing ~= "" then
    add("watch", "missing on disk: " .. found.missing)
  end
  for _, each in ipairs(found.lines) do
    if each.verdict == "good" then
      good[#good + 1] = each.name
    else
      add(each.verdict, ("%s: %s."):format(each.name, each.figure), each.tip)
    end
  end
  for _, finding in ipairs(found.findings) do
    add(finding.verdict, finding.text, finding.tip)
  end
  if #good > 0 then
    add("good", table.concat(good, ", "))
  end
  add("plate", CONCLUSIONS[found.verdict] or found.verdict)
  return table.concat(lines, "\n")
end

--- What came of an adaptation.
function answer.adaptation(found)
  return line(found.helped and "adapted" or "model", found.sentence)
end

--- What went wrong, and what to do about it.
function answer.error(raised)
  if type(raised) == "table" and raised.message then
    return line("error", raised.message) .. "\n" .. line("do", raised.next_step or "")
  end
  return refusal.text(raised)
end

return answer
