import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Base64;
import java.util.UUID;

/** A capture that does everything right, with java.net.http. Exits with 1 when it was refused or not answered. */
public class Tidy {
    private static final URI BASE = URI.create(System.getenv("ORDERPROOF_BASE_URL"));

    private static HttpRequest.Builder request(URI place) {
        String pair = System.getenv("ORDERPROOF_USERNAME") + ":" + System.getenv("ORDERPROOF_PASSWORD");
        return HttpRequest.newBuilder(place)
                .timeout(Duration.ofMillis(1500))
                .header("Authorization", "Basic " + Base64.getEncoder().encodeToString(pair.getBytes()));
    }

    private static HttpResponse<String> send(HttpRequest request) throws InterruptedException {
        try {
            return HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        } catch (IOException failure) {
            return null;
        }
    }

    private static HttpResponse<String> write(URI place, String body) throws InterruptedException {
        HttpRequest request = request(place)
                .header("Content-Type", "application/json")
                .header("Klarna-Idempotency-Key", UUID.randomUUID().toString())
                .POST(BodyPublishers.ofString(body))
                .build();
        for (int number = 0; number < 4; number++) {
            Thread.sleep(number > 0 ? 1050 : 0);
            HttpResponse<String> answer = send(request);
            int status = answer == null ? 0 : answer.statusCode();
            if (status > 0 && status < 400) {
                return answer;
            }
            if (status >= 400 && status < 500 && status != 409 && status != 429) {
                throw new IllegalStateException("refused: " + status);
            }
        }
        throw new IllegalStateException("no answer");
    }

    public static void main(String[] words) throws InterruptedException {
        URI order = BASE.resolve("/ordermanagement/v1/orders/" + System.getenv("ORDERPROOF_ORDER_ID"));
        String amount = System.getenv("ORDERPROOF_AMOUNT");
        HttpResponse<String> made = write(URI.create(order + "/captures"), "{\"captured_amount\": " + amount + "}");
        URI place = BASE.resolve(made.headers().firstValue("Location").orElseThrow());
        if (place.getAuthority().equals(BASE.getAuthority())) {
            HttpResponse<String> capture = send(request(place).build());
            if (capture == null || capture.statusCode() != 200) {
                throw new IllegalStateException("the capture is not there");
            }
        }
    }
}
