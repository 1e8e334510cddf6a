"""The Redis store's Lua scripts. Each is atomic: a run, its events and the indices over it change together."""

# KEYS run events seen idempotency usage standing index...
# ARGV run_id kind tenant state request tests record event_id type data | body_sha256 now expires_at life_s
#      | counter usage_s bytes | (field value)... of the index
CREATE = """
local run, events, seen, idempotency = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local body = ARGV[11]
if body ~= '' then
  local used = redis.call('HMGET', idempotency, 'body', 'run', 'expires')
  if used[1] and tonumber(used[3]) > tonumber(ARGV[12]) then return {'USED', used[1], used[2]} end
end
if redis.call('EXISTS', run) == 1 then
  if redis.call('HGET', seen, ARGV[8]) == '1' then return {'AGAIN'} end
  return {'EXISTS'}
end
redis.call('HSET', run, 'kind', ARGV[2], 'tenant', ARGV[3], 'state', ARGV[4], 'epoch', 0, 'seq', 1,
           'request', ARGV[5], 'tests', ARGV[6], 'record', ARGV[7], unpack(ARGV, 18))
redis.call('XADD', events, '1-0', 'type', ARGV[9], 'data', ARGV[10])
redis.call('HSET', seen, ARGV[8], 1)
for i = 7, #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[1]) end
redis.call('HINCRBY', KEYS[5], ARGV[15], 1)
redis.call('HINCRBYFLOAT', KEYS[5], 'events', 1)
redis.call('HINCRBYFLOAT', KEYS[6], 'stored_bytes', ARGV[17])
redis.call('EXPIRE', KEYS[5], ARGV[16])
if body ~= '' then
  redis.call('DEL', idempotency)
  redis.call('HSET', idempotency, 'body', body, 'run', ARGV[1], 'expires', ARGV[13])
  redis.call('EXPIRE', idempotency, ARGV[14])
end
return {'OK'}
"""

# KEYS run events seen | index of the old state, twice | index of the new state, twice | usage outbox counters standing
# ARGV run_id epoch expected_seq state tests record | counter amount usage_s | tenant event_id type, '' for none
#      | bytes, score env_steps finished_at ('same': unchanged) | (seq event_id type data)...
APPEND = """
local run, events, seen = KEYS[1], KEYS[2], KEYS[3]
local now = redis.call('HMGET', run, 'epoch', 'seq')
if not now[1] then return {'NONE'} end
if ARGV[2] ~= '' and ARGV[2] ~= now[1] then return {'FENCED', now[1]} end
if ARGV[3] ~= now[2] then return {'STALE'} end
for i = 17, #ARGV, 4 do
  if redis.call('HEXISTS', seen, ARGV[i + 1]) == 1 then return {'SEEN'} end
end
for i = 17, #ARGV, 4 do
  redis.call('XADD', events, ARGV[i] .. '-0', 'type', ARGV[i + 2], 'data', ARGV[i + 3])
  redis.call('HSET', seen, ARGV[i + 1], ARGV[i])
end
redis.call('HSET', run, 'seq', ARGV[#ARGV - 3], 'state', ARGV[4], 'tests', ARGV[5], 'record', ARGV[6])
if ARGV[14] ~= 'same' then
  redis.call('HSET', run, 'score', ARGV[14], 'env_steps', ARGV[15], 'finished_at', ARGV[16])
end
for i = 4, 5 do
  redis.call('ZREM', KEYS[i], ARGV[1])
  redis.call('ZADD', KEYS[i + 2], 0, ARGV[1])
end
if ARGV[7] ~= '' then redis.call('HINCRBYFLOAT', KEYS[8], ARGV[7], ARGV[8]) end
redis.call('HINCRBYFLOAT', KEYS[8], 'events', (#ARGV - 16) / 4)
redis.call('EXPIRE', KEYS[8], ARGV[9])
redis.call('HINCRBYFLOAT', KEYS[11], 'stored_bytes', ARGV[13])
if ARGV[11] ~= '' then
  local position = redis.call('HINCRBY', KEYS[10], 'outbox', 1)
  redis.call('XADD', KEYS[9], position .. '-0', 'tenant', ARGV[10], 'run', ARGV[1], 'event', ARGV[11], 'type', ARGV[12])
end
return {'OK'}
"""

# KEYS run events seen standing index...
# ARGV run_id bytes annotations
REMOVE = """
local annotations = redis.call('HGET', KEYS[1], 'annotations')
if annotations and annotations ~= ARGV[3] then return 'STALE' end
if redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3]) == 0 then return 'NONE' end
for i = 5, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
redis.call('HINCRBYFLOAT', KEYS[4], 'stored_bytes', -ARGV[2])
return 'OK'
"""

# KEYS run
ACQUIRE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
return redis.call('HINCRBY', KEYS[1], 'epoch', 1)
"""

# KEYS run | index of each label... | index of each new label...
# ARGV run_id known annotations text name labels
ANNOTATE = """
local run = KEYS[1]
local known = redis.call('HGET', run, 'annotations')
if not known then return 'NONE' end
if known ~= ARGV[2] then return 'STALE' end
redis.call('HSET', run, 'annotations', ARGV[3], 'text', ARGV[4], 'name', ARGV[5])
for i = 2, 1 + ARGV[6] do redis.call('ZREM', KEYS[i], ARGV[1]) end
for i = 2 + ARGV[6], #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[1]) end
return 'OK'
"""

# KEYS index of each state... | index of each condition...
# ARGV newest oldest limit prefix states | words, then the words | sort descending after | field...
# Returns the fields of each run; 'GONE' if there is no run of the id ``after``.
# The smallest index of the conditions is read, and its runs are looked up in the others.
FIND = """
local newest, oldest, limit, prefix, states = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local words = {}
for i = 1, tonumber(ARGV[6]) do words[i] = ARGV[6 + i] end
local at = 7 + #words
local sort, descending, after = ARGV[at], ARGV[at + 1] == '1', ARGV[at + 2]
local numeric = sort == 'score' or sort == 'env_steps' or sort == 'finished_at'
local by_id = sort == 'created_at'
if not by_id and after ~= '' and redis.call('EXISTS', prefix .. after) == 0 then return 'GONE' end

local sources, smallest = {}, nil
for i = states + 1, #KEYS do
  local size = redis.call('ZCARD', KEYS[i])
  if not smallest or size < smallest then
    sources, smallest = {KEYS[i]}, size
  end
end
if states > 0 then
  local size = 0
  for i = 1, states do size = size + redis.call('ZCARD', KEYS[i]) end
  if size < smallest then
    sources = {}
    for i = 1, states do sources[i] = KEYS[i] end
  end
end

local function wanted(id)
  for i = states + 1, #KEYS do
    if KEYS[i] ~= sources[1] and not redis.call('ZSCORE', KEYS[i], id) then return false end
  end
  if states > 0 and sources[1] ~= KEYS[1] then
    local found = false
    for i = 1, states do found = found or redis.call('ZSCORE', KEYS[i], id) end
    if not found then return false end
  end
  if #words > 0 then
    local text = redis.call('HGET', prefix .. id, 'text')
    for _, word in ipairs(words) do
      if not string.find(text, word, 1, true) then return false end
    end
  end
  return true
end

local upwards = by_id and not descending
if by_id and after ~= '' then
  if descending then newest = '(' .. after else oldest = '(' .. after end
end
local found = {}
for _, index in ipairs(sources) do
  local from, to, taken = newest, oldest, 0
  while true do
    local ids
    if upwards then ids = redis.call('ZRANGEBYLEX', index, to, from, 'LIMIT', 0, 500)
    else ids = redis.call('ZREVRANGEBYLEX', index, from, to, 'LIMIT', 0, 500) end
    for _, id in ipairs(ids) do
      if not (by_id and taken >= limit) and wanted(id) then
        taken = taken + 1
        found[#found + 1] = id
      end
    end
    if #ids < 500 or (by_id and taken >= limit) then break end
    if upwards then to = '(' .. ids[#ids] else from = '(' .. ids[#ids] end
  end
end

local function value_of(id)
  local value = redis.call('HGET', prefix .. id, sort)
  if value and value ~= '' then return numeric and tonumber(value) or value end
end
local values, last = {}, nil
if not by_id then
  for _, id in ipairs(found) do values[id] = value_of(id) end
  if after ~= '' then last = value_of(after) end
end
local function precedes(a, mine, b, theirs)
  if (mine == nil) ~= (theirs == nil) then return theirs == nil end
  if mine ~= theirs then
    if descending then return mine > theirs end
    return mine < theirs
  end
  if descending then return a > b end
  return a < b
end
table.sort(found, function(a, b) return precedes(a, values[a], b, values[b]) end)

local runs = {}
for _, id in ipairs(found) do
  if #runs >= limit then break end
  if by_id or after == '' or precedes(after, last, id, values[id]) then
    runs[#runs + 1] = redis.call('HMGET', prefix .. id, unpack(ARGV, at + 3))
  end
end
return runs
"""

# KEYS document index index   ARGV kind id owner record
ADD_DOCUMENT = """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'kind', ARGV[1], 'id', ARGV[2], 'owner', ARGV[3], 'record', ARGV[4])
  redis.call('ZADD', KEYS[2], 0, ARGV[2])
  redis.call('ZADD', KEYS[3], 0, ARGV[2])
end
return redis.call('HGETALL', KEYS[1])
"""

# KEYS document   ARGV record expected
REPLACE_DOCUMENT = """
local record = redis.call('HGET', KEYS[1], 'record')
if record ~= ARGV[1] and record ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'record', ARGV[1])
return 1
"""

# KEYS keys
# ARGV id record
PUT_KEY = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and cjson.decode(known).revoked_at ~= cjson.null then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
