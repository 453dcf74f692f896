package muster.compat;

import io.axoniq.axonserver.connector.AxonServerConnection;

/** The connector on the class path. */
final class LoadedConnector {
  private LoadedConnector() {}

  /** As the manifest of its jar says. */
  static String version() {
    return AxonServerConnection.class.getPackage().getImplementationVersion();
  }
}
