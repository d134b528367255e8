# A capture that does everything right, with Ruby's own Net::HTTP. Exits with 1 when it was refused or not answered.

require 'json'
require 'net/http'
require 'securerandom'

BASE = URI(ENV.fetch('ORDERPROOF_BASE_URL'))

def call(kind, path, key: nil, body: nil)
  request = kind.new(path)
  request.basic_auth(ENV.fetch('ORDERPROOF_USERNAME'), ENV.fetch('ORDERPROOF_PASSWORD'))
  request['Klarna-Idempotency-Key'] = key if key
  if body
    request['Content-Type'] = 'application/json'
    request.body = JSON.generate(body)
  end
  Net::HTTP.start(BASE.host, BASE.port, read_timeout: 1.5) { |http| http.request(request) }
rescue SystemCallError, IOError, Timeout::Error, Net::HTTPBadResponse
  nil
end

def write(kind, path, body)
  key = SecureRandom.uuid
  4.times do |number|
    sleep 1.05 if number.positive?
    answer = call(kind, path, key: key, body: body)
    status = answer ? answer.code.to_i : 0
    return answer if status.between?(1, 399)

    abort "refused: #{status}" if status.between?(400, 499) && ![409, 429].include?(status)
  end
  abort 'no answer'
end

amount = Integer(ENV.fetch('ORDERPROOF_AMOUNT'))
order = "/ordermanagement/v1/orders/#{URI.encode_www_form_component(ENV.fetch('ORDERPROOF_ORDER_ID'))}"
place = URI.join(BASE, write(Net::HTTP::Post, "#{order}/captures", { captured_amount: amount })['location'].to_s)
if [place.host, place.port] == [BASE.host, BASE.port]
  capture = call(Net::HTTP::Get, place.path)
  abort 'the capture is not there' unless capture && JSON.parse(capture.body)['captured_amount'] == amount
end
