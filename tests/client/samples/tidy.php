<?php
// A capture that does everything right, with PHP's own curl. Exits with 1 when it was refused or not answered.

$base = getenv('ORDERPROOF_BASE_URL');
$curl = curl_init();

function call(string $method, string $url, ?string $key = null, ?array $body = null): array
{
    global $curl;
    $headers = array_filter([
        $body === null ? null : 'Content-Type: application/json',
        $key === null ? null : "Klarna-Idempotency-Key: $key",
    ]);
    $found = [];
    curl_reset($curl);
    curl_setopt_array($curl, [
        CURLOPT_URL => $url,
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_USERPWD => getenv('ORDERPROOF_USERNAME') . ':' . getenv('ORDERPROOF_PASSWORD'),
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_TIMEOUT_MS => 1500,
        CURLOPT_FRESH_CONNECT => true,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$found) {
            [$name, $value] = explode(':', $line, 2) + [1 => ''];
            $found[strtolower(trim($name))] = trim($value);
            return strlen($line);
        },
    ]);
    if ($body !== null) {
        curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body));
    }
    $text = curl_exec($curl);
    return [$text === false ? 0 : curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $found, (string) $text];
}

function new_key(): string
{
    $bytes = random_bytes(16);
    $bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
    $bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);
    return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
}

function write(string $method, string $url, array $body): array
{
    $key = new_key();
    for ($number = 0; $number < 4; $number++) {
        usleep($number > 0 ? 1_050_000 : 0);
        [$status, $headers] = call($method, $url, $key, $body);
        if ($status > 0 && $status < 400) {
            return $headers;
        }
        if ($status >= 400 && $status < 500 && $status !== 409 && $status !== 429) {
            fwrite(STDERR, "refused: $status\n");
            exit(1);
        }
    }
    fwrite(STDERR, "no answer\n");
    exit(1);
}

$order = '/ordermanagement/v1/orders/' . rawurlencode(getenv('ORDERPROOF_ORDER_ID'));
$amount = (int) getenv('ORDERPROOF_AMOUNT');
$place = parse_url(write('POST', "$base$order/captures", ['captured_amount' => $amount])['location'] ?? '');
if (!isset($place['host']) || "{$place['host']}:{$place['port']}" === getenv('ORDERPROOF_HOST')) {
    [$status, , $text] = call('GET', $base . $place['path']);
    exit($status === 200 && json_decode($text, true)['captured_amount'] === $amount ? 0 : 1);
}
