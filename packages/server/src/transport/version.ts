/** The version of this server, as its descriptions say it. */
export const version = '0.1.0';
