import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * What a client of Kafka's own makers does, for tests:
 *
 * ready BROKER SECONDS: ends when the broker answers
 * produce BROKER TOPIC COMPRESSION COUNT: sends records 0, 1, 2, … to partition 0
 * transactions BROKER TOPIC COUNT: sends COUNT records "kept-0", …, of which each tenth stands behind ten that are aborted
 * consume BROKER TOPIC GROUP ASSIGNOR: says each record, as PARTITION OFFSET VALUE, until its input ends; then it commits, and leaves
 */
public class KafkaPeer {
  public static void main(String[] given) throws Exception {
    switch (given[0]) {
      case "ready" -> ready(given[1], Integer.parseInt(given[2]));
      case "produce" -> produce(given[1], given[2], given[3], Integer.parseInt(given[4]));
      case "transactions" -> transactions(given[1], given[2], Integer.parseInt(given[3]));
      case "consume" -> consume(given[1], given[2], given[3], given[4]);
      default -> throw new IllegalArgumentException(given[0]);
    }
  }

  static void ready(String broker, int seconds) throws Exception {
    long end = System.currentTimeMillis() + seconds * 1000L;
    while (true) {
      try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", broker, "default.api.timeout.ms", "5000", "request.timeout.ms", "4000"))) {
        if (!admin.describeCluster().nodes().get().isEmpty()) return;
      } catch (Exception failure) {
        if (System.currentTimeMillis() > end) throw failure;
      }
      Thread.sleep(100);
    }
  }

  static KafkaProducer<String, String> producer(String broker, String... more) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker);
    for (int i = 0; i < more.length; i += 2) properties.put(more[i], more[i + 1]);
    return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
  }

  static void produce(String broker, String topic, String compression, int count) {
    try (var producer = producer(broker, "compression.type", compression, "linger.ms", "20")) {
      for (int i = 0; i < count; i++) producer.send(new ProducerRecord<>(topic, 0, "key" + i, compression + " " + i));
    }
  }

  static void transactions(String broker, String topic, int count) {
    try (var producer = producer(broker, "transactional.id", topic)) {
      producer.initTransactions();
      for (int i = 0; i < count; i += 10) {
        producer.beginTransaction();
        for (int j = i; j < i + 10; j++) producer.send(new ProducerRecord<>(topic, 0, null, "aborted-" + j));
        producer.flush();
        producer.abortTransaction();
        producer.beginTransaction();
        for (int j = i; j < i + 10; j++) producer.send(new ProducerRecord<>(topic, 0, null, "kept-" + j));
        producer.commitTransaction();
      }
    }
  }

  static void consume(String broker, String topic, String group, String assignor) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker);
    properties.put("group.id", group);
    properties.put("auto.offset.reset", "earliest");
    properties.put("enable.auto.commit", "false");
    properties.put("heartbeat.interval.ms", "300");
    properties.put("session.timeout.ms", "6000");
    properties.put("partition.assignment.strategy", assignor);
    try (var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
          consumer.commitSync();
        }

        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
      });
      while (System.in.available() == 0) {
        for (var record : consumer.poll(Duration.ofMillis(100))) {
          System.out.println(record.partition() + " " + record.offset() + " " + record.value());
        }
        try {
          consumer.commitSync();
        } catch (RebalanceInProgressException failure) {
          // The next poll gives back what has to be given back, and commits before.
        }
      }
    }
  }
}
