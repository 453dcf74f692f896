package muster.compat5;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.axonframework.eventsourcing.annotation.EventCriteriaBuilder;
import org.axonframework.eventsourcing.annotation.EventSourcedEntity;
import org.axonframework.eventsourcing.annotation.EventSourcingHandler;
import org.axonframework.eventsourcing.annotation.EventTag;
import org.axonframework.eventsourcing.annotation.reflection.EntityCreator;
import org.axonframework.messaging.commandhandling.annotation.CommandHandler;
import org.axonframework.messaging.eventhandling.gateway.EventAppender;
import org.axonframework.messaging.eventstreaming.EventCriteria;
import org.axonframework.messaging.eventstreaming.Tag;
import org.axonframework.modelling.annotation.InjectEntity;
import org.axonframework.modelling.annotation.TargetEntityId;

/** Courses with a capacity and students with at most three courses: rules over two things at once, without aggregates. */
final class Courses {
  static final int COURSES_PER_STUDENT = 3;

  private Courses() {}

  record CourseOpened(@EventTag(key = "course") String courseId, int capacity) {}

  record StudentSubscribed(@EventTag(key = "course") String courseId, @EventTag(key = "student") String studentId) {}

  record SubscriptionId(String courseId, String studentId) {}

  record OpenCourse(@TargetEntityId String courseId, int capacity) {}

  record Subscribe(String courseId, String studentId) {
    @TargetEntityId
    SubscriptionId subscriptionId() {
      return new SubscriptionId(courseId, studentId);
    }
  }

  record SubscribersQuery(String courseId) {}

  /** One course by its tag. */
  @EventSourcedEntity(tagKey = "course")
  static class Course {
    private boolean open;

    @EntityCreator
    Course() {}

    @EventSourcingHandler
    void on(CourseOpened event) {
      open = true;
    }
  }

  /** Everything that matters to one subscription: the course with its students, and the student with all courses. */
  @EventSourcedEntity
  static class Subscription {
    private final Map<String, Integer> capacities = new HashMap<>();
    private final Map<String, Set<String>> studentsOf = new HashMap<>();
    private final Map<String, Set<String>> coursesOf = new HashMap<>();

    @EntityCreator
    Subscription() {}

    @EventCriteriaBuilder
    static EventCriteria criteria(SubscriptionId id) {
      return EventCriteria.either(
          EventCriteria.havingTags(Tag.of("course", id.courseId())),
          EventCriteria.havingTags(Tag.of("student", id.studentId()))
              .andBeingOneOfTypes(StudentSubscribed.class.getName()));
    }

    @EventSourcingHandler
    void on(CourseOpened event) {
      capacities.put(event.courseId(), event.capacity());
    }

    @EventSourcingHandler
    void on(StudentSubscribed event) {
      studentsOf.computeIfAbsent(event.courseId(), (key) -> new HashSet<>()).add(event.studentId());
      coursesOf.computeIfAbsent(event.studentId(), (key) -> new HashSet<>()).add(event.courseId());
    }

    /** False: subscribed already. */
    boolean mayAdd(Subscribe command) {
      Set<String> students = studentsOf.getOrDefault(command.courseId(), Set.of());
      if (students.contains(command.studentId())) {
        return false;
      }
      if (students.size() >= capacities.getOrDefault(command.courseId(), 0)) {
        throw new IllegalStateException("course is full");
      }
      if (coursesOf.getOrDefault(command.studentId(), Set.of()).size() >= COURSES_PER_STUDENT) {
        throw new IllegalStateException("student has enough courses");
      }
      return true;
    }
  }

  static class Handler {
    @CommandHandler
    void handle(OpenCourse command, @InjectEntity Course course, EventAppender appender) {
      if (course.open) {
        throw new IllegalStateException("course " + command.courseId() + " is open already");
      }
      appender.append(new CourseOpened(command.courseId(), command.capacity()));
    }

    @CommandHandler
    void handle(Subscribe command, @InjectEntity Subscription subscription, EventAppender appender) {
      if (subscription.mayAdd(command)) {
        appender.append(new StudentSubscribed(command.courseId(), command.studentId()));
      }
    }
  }
}
