require 'openssl'

# Whether the request is genuine and at most 5 minutes old. The second to fourth argument are the headers webhook-id,
# webhook-timestamp and webhook-signature; body is the raw body, not yet parsed.
def verify_webhook(secret_key, id, timestamp, signatures, body)
  return false if (Time.now.to_i - timestamp.to_i).abs > 300

  signed = "#{id}.#{timestamp}.".b + body.b
  digest = OpenSSL::HMAC.digest('SHA256', secret_key, signed)
  expected = "v1,#{[digest].pack('m0')}"
  # While the key is being rotated, there is a signature of the old and one of the new.
  signatures.to_s.split.any? { |given| OpenSSL.secure_compare(given, expected) }
end
