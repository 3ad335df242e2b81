# Shows the delivery on standard input to the Ruby snippet; prints `ok` or `refused`.
require 'json'
require_relative '../../snippets/verify'

delivery = JSON.parse($stdin.read)
headers = delivery['headers'].values_at('webhook-id', 'webhook-timestamp', 'webhook-signature')
puts({ true => 'ok', false => 'refused' }.fetch(verify_webhook(delivery['secret_key'], *headers, delivery['body'])))
