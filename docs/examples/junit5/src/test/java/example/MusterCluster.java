package example;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A JUnit 5 extension: a cluster of real nodes for the tests of a class, and the verbs that break it. Each verb is one call of the command
 * line; a call that fails fails the test with what Muster says. After each test all faults are healed and every node runs again; after
 * the class no process is left and the data is gone.
 *
 * <p>The system property {@code muster} or the variable {@code MUSTER} names the command, words apart by spaces; else it is {@code muster}.
 */
final class MusterCluster implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {
  private static final long CALL_SECONDS_MAX = 60;

  private final String name;
  private final int nodes;
  private final Thread atExit = new Thread(this::down);

  MusterCluster(String name, int nodes) {
    this.name = name;
    this.nodes = nodes;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    // A test run that is ended from outside leaves no cluster behind either.
    Runtime.getRuntime().addShutdownHook(atExit);
    run("up", name, "--nodes", String.valueOf(nodes), "--throw-away", "--detach");
  }

  @Override
  public void afterEach(ExtensionContext context) {
    muster("heal");
    muster("start", "all");
    await("ready", "30s");
  }

  @Override
  public void afterAll(ExtensionContext context) {
    down();
    Runtime.getRuntime().removeShutdownHook(atExit);
  }

  /** The gRPC addresses for {@code axon.axonserver.servers}, like {@code localhost:8124,localhost:8125}. */
  String servers() {
    String line = muster("connect", "--for", "env").lines().filter(it -> it.contains("SERVERS=")).findFirst().orElseThrow();
    return line.substring(line.indexOf('=') + 1).replace("\"", "").trim();
  }

  /** The node that an app is connected to, by its client id: the one to strike. */
  String nodeOf(String clientId) {
    await("apps:1", "10s");
    String apps = muster("apps", "--json");
    Matcher found = Pattern.compile("\"clientId\":\"" + clientId + "\",[^}]*?\"node\":\"([^\"]+)\"").matcher(apps);
    if (!found.find()) throw new AssertionError(clientId + " is not connected: " + apps);
    return found.group(1);
  }

  /** kill -9 of {@code node-2}, or of {@code leader:default}, {@code follower:default}. */
  void kill(String target) {
    muster("kill", target);
  }

  /** The process stops in the middle of what it does; its connections stay open. */
  void freeze(String target) {
    muster("freeze", target);
  }

  /** Cuts groups of nodes from each other: {@code partition("node-1", "/", "node-2", "node-3")}. */
  void partition(String... words) {
    List<String> call = new ArrayList<>(List.of("partition"));
    call.addAll(List.of(words));
    muster(call.toArray(String[]::new));
  }

  /** Waits for {@code leader:default}, {@code ready}, {@code caught-up} or {@code apps:2}; fails with the reason when it is not met in time. */
  void await(String condition, String timeout) {
    muster("wait", condition, "--timeout", timeout);
  }

  /** Any other command of {@code muster --help} for this cluster; its standard output. */
  String muster(String... words) {
    List<String> call = new ArrayList<>(List.of(words));
    call.addAll(List.of("--cluster", name));
    return run(call.toArray(String[]::new));
  }

  private void down() {
    run("down", name);
  }

  private static String run(String... words) {
    String found = System.getProperty("muster", System.getenv().getOrDefault("MUSTER", "muster"));
    List<String> call = new ArrayList<>(List.of(found.split(" ")));
    call.addAll(List.of(words));
    try {
      Process process = new ProcessBuilder(call).redirectError(ProcessBuilder.Redirect.PIPE).start();
      process.getOutputStream().close();
      CompletableFuture<String> output = CompletableFuture.supplyAsync(() -> text(process.getInputStream()));
      CompletableFuture<String> problem = CompletableFuture.supplyAsync(() -> text(process.getErrorStream()));
      if (!process.waitFor(CALL_SECONDS_MAX, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError(String.join(" ", call) + " took more than " + CALL_SECONDS_MAX + " s");
      }
      if (process.exitValue() != 0) throw new AssertionError(String.join(" ", call) + "\n" + problem.join());
      return output.join();
    } catch (IOException cause) {
      throw new AssertionError("muster could not be run; set -Dmuster=… to the command: " + cause.getMessage(), cause);
    } catch (InterruptedException cause) {
      Thread.currentThread().interrupt();
      throw new AssertionError(cause);
    }
  }

  private static String text(java.io.InputStream stream) {
    try (stream) {
      return new String(stream.readAllBytes());
    } catch (IOException cause) {
      return cause.getMessage();
    }
  }
}
