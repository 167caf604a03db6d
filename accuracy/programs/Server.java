// The JDK's own server: files, and what accuracy/work.ts calls abilities. Prints a line for each exchange.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executors;

public class Server {
    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 64);
        server.createContext("/", Server::answer);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
    }

    private static void answer(HttpExchange exchange) throws IOException {
        long uploaded = exchange.getRequestBody().readAllBytes().length;
        String path = exchange.getRequestURI().getPath();
        Path file = Path.of(System.getenv("ROOT"), path);
        int status = 200;
        try {
            if (path.equals("/upload")) {
                send(exchange, 200, (uploaded + "\n").getBytes());
            } else if (path.equals("/delay")) {
                Thread.sleep(30);
                send(exchange, 200, "late\n".getBytes());
            } else if (path.equals("/chunked")) {
                exchange.sendResponseHeaders(200, 0);
                try (OutputStream out = exchange.getResponseBody()) {
                    for (int part = 0; part < 7; part++) {
                        out.write(("part " + part + "\n").getBytes());
                        out.flush();
                    }
                }
            } else if (Files.isRegularFile(file)) {
                send(exchange, 200, Files.readAllBytes(file));
            } else {
                status = 404;
                send(exchange, 404, "no such file\n".getBytes());
            }
        } catch (InterruptedException interrupted) {
            throw new IOException(interrupted);
        }
        System.out.println(exchange.getRequestMethod() + "\t" + exchange.getRequestURI() + "\t" + status);
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        boolean isBodiless = body.length == 0 || exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(status, isBodiless ? -1 : body.length);
        if (!isBodiless) exchange.getResponseBody().write(body);
        exchange.close();
    }
}
