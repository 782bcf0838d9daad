// Kafka's error codes (kafka.apache.org/protocol, "Error Codes") as far as they are told apart here.

export const code = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopic: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  notEnoughReplicas: 19,
  topicAuthorization: 29,
  clusterAuthorization: 31,
  topicExists: 36,
  invalidReplicationFactor: 38,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
} as const;

/**
 * Refusals of an append that another time, or another broker, will take. Most say that nothing was appended; but a leader that steps down while an append waits for
 * its replicas says "not the leader" too, and the record may be there (seen here while partitions moved): sent again it lands twice, which the port allows.
 */
export const isToBeSentAgain = (errorCode: number): boolean =>
  errorCode === code.notLeader ||
  errorCode === code.unknownTopic ||
  errorCode === code.leaderNotAvailable ||
  errorCode === code.notEnoughReplicas ||
  errorCode === code.unknownLeaderEpoch ||
  errorCode === code.fencedLeaderEpoch;
