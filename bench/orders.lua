-- Two-line orders of the sample network, each with an id of its own: `wrk -s orders.lua URL -- PREFIX`.
local skus = {
  "PHN-256", "EAR-PRO", "MSK-20", "BJ-500", "SNK-RUN", "DIA-L60", "AFR-5L", "DWN-MEN", "PWB-20K", "LAU-52",
}
local places = {
  { 31.22222, 121.45806 }, { 39.9075, 116.39723 }, { 23.11667, 113.25 }, { 30.66667, 104.06667 }, { 30.58333, 114.26667 },
  { 34.25833, 108.92861 }, { 41.79222, 123.43278 }, { 29.56026, 106.55771 }, { 36.06488, 120.38042 }, { 43.80096, 87.60046 },
}
local prefix, number = "order", 0
local headers = { ["Content-Type"] = "application/json" }
local body = '{"order_id":"%s-%d","channel":"app","customer":"c-%d","ship_to":{"lat":%.5f,"lon":%.5f,"country":"CN"},'
  .. '"lines":[{"sku":"%s","quantity":1,"unit_price":19900},{"sku":"%s","quantity":2,"unit_price":4900}],"payment":"paid"}'

function init(args)
  prefix = args[1] or prefix
end

function request()
  number = number + 1
  local place = places[number % #places + 1]
  local first = number % #skus + 1
  local second = (number * 7 + 3) % #skus + 1
  if second == first then second = first % #skus + 1 end
  return wrk.format("POST", nil, headers,
    string.format(body, prefix, number, number % 50000, place[1], place[2], skus[first], skus[second]))
end
