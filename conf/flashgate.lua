-- SPDX-License-Identifier: BSD-3-Clause
--
-- The Flashgate order protocol for Wireshark and tshark (4.0 or later): docs/protocol.md says what the
-- fields mean, and how this file is used. Everything can be filtered for: flashgate.op == "ORDER",
-- flashgate.verdict == "SOLD_OUT", flashgate.response_time > 0.01, flashgate.malformed.
--
-- Names and sizes are those of include/flashgate/protocol.h; a test holds the two against each other.

local VERSION, REQUEST, REPLY = 1, 1, 2
local HEADER_BYTES, REQUEST_BYTES, REPLY_BYTES, ENTRIES_MAX = 24, 40, 32, 32
local MAGIC = 0x4647 -- "FG", the first byte first
local PORTS = "20480-20543" -- the reference configuration's

local types = { [REQUEST] = "request", [REPLY] = "reply" }

local ops = {
	[1] = "ORDER",
	[2] = "CONFIRM",
	[3] = "CANCEL",
	[4] = "QUERY",
	[5] = "STOCK",
	[6] = "PING",
}

local verdicts = {
	[1] = "ADMITTED",
	[2] = "CONFIRMED",
	[3] = "CANCELLED",
	[4] = "EXPIRED",
	[16] = "SOLD_OUT",
	[17] = "ALL_HELD",
	[18] = "LIMIT_REACHED",
	[19] = "NOT_OPEN",
	[20] = "CLOSED",
	[21] = "PAUSED",
	[32] = "THROTTLED",
	[33] = "BUSY",
	[34] = "MISROUTED",
	[35] = "BLOCKED",
	[36] = "FORBIDDEN",
	[48] = "UNKNOWN_ITEM",
	[49] = "BAD_QUANTITY",
	[50] = "CONFLICT",
	[51] = "NOT_FOUND",
	[52] = "UNSUPPORTED",
	[64] = "STOCK",
	[65] = "PONG",
}

local FLAG_REPLAY, FLAG_HELD = 0x01, 0x02
local PONG = 65

local flashgate = Proto("flashgate", "Flashgate Order Protocol")

flashgate.prefs.ports = Pref.range("UDP ports", PORTS,
	"The engine's UDP ports. On others, datagrams are known by what they begin with", 65535)

-- --- fields ---

local field = {
	magic = ProtoField.uint16("flashgate.magic", "Magic", base.HEX),
	version = ProtoField.uint8("flashgate.version", "Version"),
	type = ProtoField.uint8("flashgate.type", "Type", base.DEC, types),
	count = ProtoField.uint8("flashgate.count", "Entries"),
	reserved = ProtoField.uint8("flashgate.reserved", "Reserved", base.HEX),
	key_id = ProtoField.uint16("flashgate.key_id", "Key"),
	time_ns = ProtoField.uint64("flashgate.time_ns", "Name and time, ns"),
	time = ProtoField.absolute_time("flashgate.time", "Sender's time", base.UTC),
	mac = ProtoField.uint64("flashgate.mac", "Mac", base.HEX),

	entry = ProtoField.none("flashgate.entry", "Entry"),
	buyer = ProtoField.bytes("flashgate.buyer", "Buyer"),
	request = ProtoField.uint64("flashgate.request", "Request"),
	item = ProtoField.uint32("flashgate.item", "Item"),
	quantity = ProtoField.uint16("flashgate.quantity", "Quantity"),
	op = ProtoField.uint8("flashgate.op", "Op", base.DEC, ops),
	flags = ProtoField.uint8("flashgate.flags", "Flags", base.HEX),
	replay = ProtoField.bool("flashgate.flags.replay", "Repeats an earlier decision", 8, nil, FLAG_REPLAY),
	held = ProtoField.bool("flashgate.flags.held", "The order needs CONFIRM", 8, nil, FLAG_HELD),
	order = ProtoField.uint64("flashgate.order", "Order"),
	verdict = ProtoField.uint8("flashgate.verdict", "Verdict", base.DEC, verdicts),
	wait_ms = ProtoField.uint32("flashgate.wait_ms", "Wait, ms"),
	available = ProtoField.uint32("flashgate.available", "Available"),

	epoch = ProtoField.uint64("flashgate.epoch", "Engine's epoch"),
	partitions = ProtoField.uint32("flashgate.partitions", "Partitions"),
	base_port = ProtoField.uint16("flashgate.base_port", "Base port"),
	workers = ProtoField.uint32("flashgate.workers", "Workers"),

	reply_in = ProtoField.framenum("flashgate.reply_in", "Reply in", base.NONE, frametype.RESPONSE),
	request_in = ProtoField.framenum("flashgate.request_in", "Request in", base.NONE, frametype.REQUEST),
	copy_of = ProtoField.framenum("flashgate.copy_of", "Copy of", base.NONE, frametype.DUP_ACK),
	response_time = ProtoField.relative_time("flashgate.response_time", "Response time"),
}
flashgate.fields = field

local function remark(name, text, group, severity)
	return ProtoExpert.new("flashgate." .. name, text, group, severity)
end

local wrong = {
	malformed = remark("malformed", "Malformed: met with silence", expert.group.MALFORMED, expert.severity.ERROR),
	cut = remark("cut", "The capture does not have all of it", expert.group.UNDECODED, expert.severity.NOTE),
	unknown = remark("unknown", "Unknown code or flag", expert.group.PROTOCOL, expert.severity.WARN),
	unsigned = remark("unsigned", "Unsigned", expert.group.SECURITY, expert.severity.NOTE),
	copied = remark("copied", "Copy of an earlier datagram", expert.group.SEQUENCE, expert.severity.NOTE),
	alone = remark("alone", "Reply to a request that was not captured", expert.group.SEQUENCE, expert.severity.NOTE),
}
flashgate.experts = wrong

-- --- requests and their replies ---

-- By what names a datagram: sender, whom it was sent to, key and time. Filled when a file is first gone
-- through, in its order; read from then on.
local asked = {} -- name: list of requests, { frame =, at =, reply = }
local request_of = {} -- frame of a reply: its request, or false
local asked_in = {} -- frame of a request: itself

function flashgate.init()
	asked, request_of, asked_in = {}, {}, {}
end

local function name_of(pinfo, is_request, key_id, time_ns)
	local client, server = pinfo.src, pinfo.dst
	local client_port, server_port = pinfo.src_port, pinfo.dst_port
	if not is_request then
		client, server = server, client
		client_port, server_port = server_port, client_port
	end
	return table.concat({ tostring(client), client_port, tostring(server), server_port, key_id,
		tostring(time_ns) }, " ")
end

local function note_request(pinfo, name)
	local copies = asked[name] or {}
	local request = { frame = pinfo.number, at = pinfo.rel_ts, first = copies[1] and copies[1].frame }
	copies[#copies + 1] = request
	asked[name] = copies
	asked_in[pinfo.number] = request
end

-- Of copies the first that has no reply yet.
local function note_reply(pinfo, name)
	request_of[pinfo.number] = false
	for _, request in ipairs(asked[name] or {}) do
		if not request.reply then
			request.reply = pinfo.number
			request_of[pinfo.number] = request
			return
		end
	end
end

local function match_request(pinfo, tree)
	local request = asked_in[pinfo.number]
	if not request then
		return
	end
	if request.reply then
		tree:add(field.reply_in, request.reply):set_generated()
	end
	if request.first then
		tree:add(field.copy_of, request.first):set_generated()
		tree:add_proto_expert_info(wrong.copied)
	end
end

local function match_reply(pinfo, tree)
	local request = request_of[pinfo.number]
	if not request then
		tree:add_proto_expert_info(wrong.alone)
		return
	end
	local seconds = pinfo.rel_ts - request.at
	local sign = seconds < 0 and -1 or 1
	local ns = math.floor(math.abs(seconds) * 1e9 + 0.5)
	tree:add(field.request_in, request.frame):set_generated()
	tree:add(field.response_time, NSTime.new(sign * math.floor(ns / 1e9), sign * (ns % 1e9))):set_generated()
end

local function match(pinfo, tree, is_request, key_id, time_ns)
	local name = name_of(pinfo, is_request, key_id, time_ns)
	if not pinfo.visited then
		if is_request then
			note_request(pinfo, name)
		else
			note_reply(pinfo, name)
		end
	end
	if is_request then
		match_request(pinfo, tree)
	else
		match_reply(pinfo, tree)
	end
end

-- --- entries ---

local function add_code(tree, of, range, names)
	local item = tree:add(of, range)
	if not names[range:uint()] then
		item:add_proto_expert_info(wrong.unknown)
	end
	return names[range:uint()] or tostring(range:uint())
end

local function add_request(tree, entry)
	tree:add(field.buyer, entry(0, 16))
	tree:add_le(field.request, entry(16, 8))
	tree:add_le(field.item, entry(24, 4))
	tree:add_le(field.quantity, entry(28, 2))
	local op = add_code(tree, field.op, entry(30, 1), ops)
	local flags = tree:add(field.flags, entry(31, 1))
	if entry(31, 1):uint() ~= 0 then
		flags:add_proto_expert_info(wrong.unknown)
	end
	tree:add_le(field.order, entry(32, 8))
	return op
end

local function add_flags(tree, range)
	local flags = tree:add(field.flags, range)
	flags:add(field.replay, range)
	flags:add(field.held, range)
	if range:uint() >= 2 * FLAG_HELD then
		flags:add_proto_expert_info(wrong.unknown)
	end
end

-- A PONG tells how to steer where others tell an order.
local function add_reply(tree, entry)
	local pong = entry(22, 1):uint() == PONG
	tree:add_le(field.request, entry(0, 8))
	tree:add_le(pong and field.epoch or field.order, entry(8, 8))
	tree:add_le(pong and field.partitions or field.item, entry(16, 4))
	tree:add_le(pong and field.base_port or field.quantity, entry(20, 2))
	local verdict = add_code(tree, field.verdict, entry(22, 1), verdicts)
	add_flags(tree, entry(23, 1))
	tree:add_le(pong and field.workers or field.wait_ms, entry(24, 4))
	tree:add_le(field.available, entry(28, 4))
	return verdict
end

-- Those that were captured whole. Returns their ops or verdicts, "ORDER x3, CANCEL".
local function add_entries(payload, tree, is_request, count)
	local size = is_request and REQUEST_BYTES or REPLY_BYTES
	local add = is_request and add_request or add_reply
	local words, last, times = {}, nil, 0
	local function say()
		if last then
			words[#words + 1] = times > 1 and last .. " x" .. times or last
		end
	end
	for i = 0, count - 1 do
		local at = HEADER_BYTES + i * size
		if at + size > payload:captured_len() then
			break
		end
		local entry = payload(at, size)
		local branch = tree:add(field.entry, entry)
		local word = add(branch, entry)
		branch:set_text("Entry " .. i + 1 .. ": " .. word)
		if word ~= last then
			say()
			last, times = word, 0
		end
		times = times + 1
	end
	say()
	return table.concat(words, ", ")
end

-- --- the datagram ---

-- What would make the engine drop it without a look at who sent it, as docs/protocol.md has it.
local function form_of(payload)
	local length = payload:reported_len()
	local entry = { [REQUEST] = REQUEST_BYTES, [REPLY] = REPLY_BYTES }
	if length < HEADER_BYTES then
		return length .. " bytes are no header"
	elseif payload:captured_len() < 6 then
		return nil
	elseif payload(0, 2):uint() ~= MAGIC then
		return "wrong magic"
	elseif payload(2, 1):uint() ~= VERSION then
		return "version " .. payload(2, 1):uint() .. ", not " .. VERSION
	elseif not entry[payload(3, 1):uint()] then
		return "neither a request nor a reply"
	elseif payload(5, 1):uint() ~= 0 then
		return "the reserved byte is not 0"
	end
	local count = payload(4, 1):uint()
	local wanted = HEADER_BYTES + count * entry[payload(3, 1):uint()]
	if count < 1 or count > ENTRIES_MAX then
		return count .. " entries, not 1 to " .. ENTRIES_MAX
	elseif length ~= wanted then
		return length .. " bytes, not the " .. wanted .. " of " .. count .. " entries"
	end
	return nil
end

local function time_of(ns)
	return NSTime.new((ns / 1000000000):tonumber(), (ns % 1000000000):tonumber())
end

-- Each field that was captured.
local function add_header(payload, tree)
	local small = { { field.magic, 0, 2 }, { field.version, 2, 1 }, { field.type, 3, 1 }, { field.count, 4, 1 },
		{ field.reserved, 5, 1 } }
	local large = { { field.key_id, 6, 2 }, { field.time_ns, 8, 8 }, { field.mac, 16, 8 } }
	local captured = payload:captured_len()
	for _, f in ipairs(small) do
		if f[2] + f[3] <= captured then
			tree:add(f[1], payload(f[2], f[3]))
		end
	end
	for _, f in ipairs(large) do
		if f[2] + f[3] <= captured then
			tree:add_le(f[1], payload(f[2], f[3]))
		end
	end
	if captured >= 16 then
		tree:add(field.time, payload(8, 8), time_of(payload(8, 8):le_uint64())):set_generated()
	end
	if captured >= 8 and payload(6, 2):le_uint() == 0 then
		tree:add_proto_expert_info(wrong.unsigned)
	end
end

local function add_datagram(payload, pinfo, tree)
	local is_request = payload(3, 1):uint() == REQUEST
	local key_id = payload(6, 2):le_uint()
	match(pinfo, tree, is_request, key_id, payload(8, 8):le_uint64())
	local words = add_entries(payload, tree, is_request, payload(4, 1):uint())
	local what = is_request and "Request" or "Reply"
	tree:append_text(", " .. what .. ": " .. words)
	pinfo.cols.info = what .. " " .. words .. ", key " .. key_id
end

function flashgate.dissector(payload, pinfo, root)
	local tree = root:add(flashgate, payload(), "Flashgate")
	local fault = form_of(payload)
	pinfo.cols.protocol = "Flashgate"
	add_header(payload, tree)
	if fault then
		tree:add_proto_expert_info(wrong.malformed, "Malformed: " .. fault)
		tree:append_text(", malformed: " .. fault)
		pinfo.cols.info = "Malformed: " .. fault
	elseif payload:captured_len() >= HEADER_BYTES then
		add_datagram(payload, pinfo, tree)
	end
	if payload:captured_len() < payload:reported_len() then
		tree:add_proto_expert_info(wrong.cut)
	end
	return payload:captured_len()
end

-- --- by port, and by what a datagram begins with ---

local udp = DissectorTable.get("udp.port")
local ports = flashgate.prefs.ports
udp:add(ports, flashgate)

function flashgate.prefs_changed()
	udp:remove(ports, flashgate)
	ports = flashgate.prefs.ports
	udp:add(ports, flashgate)
end

flashgate:register_heuristic("udp", function(payload, pinfo, root)
	if payload:captured_len() < 4 or payload(0, 2):uint() ~= MAGIC or not types[payload(3, 1):uint()] then
		return false
	end
	flashgate.dissector(payload, pinfo, root)
	return true
end)
