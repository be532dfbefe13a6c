-- Each request is the next question of a file, one JSON body a line; prints percentiles for benchmarks/load.py.
local bodies, at = {}, 0

function init(args)
   for line in io.lines(args[1]) do bodies[#bodies + 1] = line end
   wrk.headers["Content-Type"] = "application/json"
   wrk.headers["Authorization"] = "Bearer " .. args[2]
end

function request()
   at = at % #bodies + 1
   return wrk.format("POST", "/api/v1/match", nil, bodies[at])
end

function done(summary, latency)
   local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
   io.write(string.format('{"requests": %d, "seconds": %f, "bad": %d, "p50": %f, "p95": %f, "p99": %f}\n',
      summary.requests, summary.duration / 1e6, bad,
      latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
