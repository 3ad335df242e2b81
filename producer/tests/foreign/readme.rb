# The check of PyWebhooks' README for Ruby: HMAC over the raw body; prints `ok`.
require 'json'
require 'openssl'

delivery = JSON.parse($stdin.read)
signature = OpenSSL::HMAC.hexdigest(OpenSSL::Digest.new('sha1'), delivery['secret_key'], delivery['body'])
puts signature == delivery['headers']['pywebhooks-signature'] ? 'ok' : 'wrong signature'
