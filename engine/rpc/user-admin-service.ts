// admin.UserAdminService, admin.AuthenticationService and license.LicenseService of the client API (client-behaviour AD-7, AD-8).
import type { AccessAdmin } from '../context/access-admin.ts';
import type { RoleGrant } from '../context/access-roles.ts';
import { serverStream, unary } from './call-context.ts';
import { admin, decodeMessage, encodeMessage, license } from './proto.ts';
import type { GrpcServer } from './transport.ts';

const PACKAGE = '/io.axoniq.axonserver.grpc';
const USERS = `${PACKAGE}.admin.UserAdminService`;
const AUTHENTICATION = `${PACKAGE}.admin.AuthenticationService`;

export function registerUserAdminService(server: GrpcServer, access: AccessAdmin): void {
  serverStream(
    server,
    `${USERS}/CreateOrUpdateUser`,
    (bytes) => decodeMessage(admin.CreateOrUpdateUserRequest, bytes),
    ({ userName: name, password, userRoles: roles }) => access.putUser({ name, password, roles }),
  );
  serverStream(
    server,
    `${USERS}/DeleteUser`,
    (bytes) => decodeMessage(admin.DeleteUserRequest, bytes),
    ({ userName }) => access.deleteUser(userName),
  );
  serverStream(
    server,
    `${USERS}/GetUsers`,
    (bytes) => bytes,
    async (_, writer) => {
      for (const { name: userName, grants } of access.users())
        writer.write(encodeMessage(admin.UserOverview, { userName, enabled: true, userRoles: rolesOf(grants) }));
    },
  );
}

export function registerAuthenticationService(server: GrpcServer, access: AccessAdmin): void {
  unary(
    server,
    `${AUTHENTICATION}/AuthenticateUser`,
    (bytes) => decodeMessage(admin.AuthenticateUserRequest, bytes),
    ({ userName, password }) => access.authenticateUser(userName, password),
    ({ name: userName, grants }) => encodeMessage(admin.UserRoles, { userName, userRoles: rolesOf(grants) }),
  );
  unary(
    server,
    `${AUTHENTICATION}/AuthenticateToken`,
    (bytes) => decodeMessage(admin.Token, bytes),
    ({ token }) => access.authenticateToken(token),
    ({ name: applicationName, grants }) =>
      encodeMessage(admin.ApplicationRoles, { applicationName, applicationRole: rolesOf(grants) }),
  );
}

/** There is no licence here and nothing checks one: the text is empty, as GET /v1/public/license names no licensee. */
export function registerLicenseService(server: GrpcServer): void {
  unary(
    server,
    `${PACKAGE}.license.LicenseService/GetLicense`,
    (bytes) => decodeMessage(license.GetLicenseRequest, bytes),
    () => ({ licenseContent: '' }),
    (reply) => encodeMessage(license.GetLicenseResponse, reply),
  );
}

function rolesOf(grants: readonly RoleGrant[]): { readonly role: string; readonly context: string }[] {
  return grants.flatMap(({ context, roles }) => roles.map((role) => ({ role, context })));
}
