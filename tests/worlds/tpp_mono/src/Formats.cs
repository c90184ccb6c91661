// Reading and writing bodies with Json.NET and DataContractSerializer, set up as Web API sets them up.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Numerics;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Text;
using System.Xml;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;
using TPP.Contracts.Services.Order;

namespace TppMono
{
    // What a body was read as, one instruction as a list of it. A list may be there although errors were found: Json.NET reads on.
    public class Reading
    {
        public List<CancellationCreation> List;
        public readonly List<string> Errors = new List<string>();
    }

    static class Reader
    {
        const int MaxDepth = 256, MaxErrors = 200;

        public static Reading Read(byte[] body, Format format, Encoding encoding, Behaviour behaviour, bool single)
        {
            var reading = new Reading();
            if (body.Length == 0) return reading;
            try
            {
                if (format == Format.Json) ReadJson(reading, body, encoding, behaviour, single);
                else ReadXml(reading, body, encoding, behaviour, single);
            }
            catch (Exception error)   // any reader's complaint: it is the body that is at fault
            {
                reading.Errors.Add(error.Message);
            }
            if (!behaviour.WideIds && !behaviour.WrapIds) CheckWidth(reading);
            return reading;
        }

        static void ReadJson(Reading reading, byte[] body, Encoding encoding, Behaviour behaviour, bool single)
        {
            if (behaviour.StrictJson) CheckJsonSyntax(body);
            var serializer = JsonSerializer.Create(new JsonSerializerSettings { MissingMemberHandling = MissingMemberHandling.Ignore });
            if (!behaviour.RoundFractions) serializer.Converters.Add(new WholeNumbers());
            serializer.Error += (sender, e) =>
            {
                reading.Errors.Add(e.ErrorContext.Error.Message);
                e.ErrorContext.Handled = reading.Errors.Count < MaxErrors;
            };
            using (var reader = new JsonTextReader(new StreamReader(new MemoryStream(body), encoding)) { MaxDepth = MaxDepth })
                reading.List = single ? Alone(serializer.Deserialize<CancellationCreation>(reader)) : Deserialize(serializer, reader, behaviour);
        }

        static List<CancellationCreation> Deserialize(JsonSerializer serializer, JsonReader reader, Behaviour behaviour)
        {
            if (!behaviour.WrongItemIsNull) return serializer.Deserialize<List<CancellationCreation>>(reader);
            var list = JToken.ReadFrom(reader) as JArray;
            if (list == null) throw new JsonSerializationException("The body is not a list.");
            return list.Select(item => item is JObject ? item.ToObject<CancellationCreation>(serializer) : null).ToList();
        }

        // A list of the one instruction; null if there is none.
        static List<CancellationCreation> Alone(CancellationCreation instruction)
        {
            return instruction == null ? null : new List<CancellationCreation> { instruction };
        }

        // A stricter reader than Json.NET, for the server that takes nothing but JSON.
        static void CheckJsonSyntax(byte[] body)
        {
            using (var reader = JsonReaderWriterFactory.CreateJsonReader(body, XmlDictionaryReaderQuotas.Max))
                while (reader.Read()) { }
        }

        static void ReadXml(Reading reading, byte[] body, Encoding encoding, Behaviour behaviour, bool single)
        {
            var quotas = new XmlDictionaryReaderQuotas();
            XmlDictionaryReaderQuotas.Max.CopyTo(quotas);
            quotas.MaxDepth = MaxDepth;
            using (var reader = XmlDictionaryReader.CreateTextReader(new MemoryStream(body), encoding, quotas, null))
            {
                var serializer = new DataContractSerializer(single ? typeof(CancellationCreation) : typeof(List<CancellationCreation>));
                var value = serializer.ReadObject(reader, !(single && behaviour.AnyRoot));
                reading.List = single ? Alone((CancellationCreation)value) : (List<CancellationCreation>)value;
            }
        }

        // The integers of this service have 32 bits.
        static void CheckWidth(Reading reading)
        {
            foreach (var item in (reading.List ?? new List<CancellationCreation>()).Where(item => item != null))
                foreach (var number in new[] { item.OrderID, item.CreatorID })
                    if (number < int.MinValue || number > int.MaxValue) reading.Errors.Add("Value was too large for an Int32.");
        }
    }

    // Json.NET would round 5.6 to 6 and so name another order. This converter refuses fractions and keeps the other leniencies.
    class WholeNumbers : JsonConverter
    {
        public override bool CanWrite { get { return false; } }

        public override bool CanConvert(Type type)
        {
            return type == typeof(long?);
        }

        public override object ReadJson(JsonReader reader, Type type, object existing, JsonSerializer serializer)
        {
            switch (reader.TokenType)
            {
                case JsonToken.Null: return null;
                case JsonToken.Integer: return reader.Value is BigInteger ? Refuse() : Convert.ToInt64(reader.Value, CultureInfo.InvariantCulture);
                case JsonToken.Float: return Whole(Convert.ToDouble(reader.Value, CultureInfo.InvariantCulture));
                case JsonToken.String: return Parse((string)reader.Value);
                default: return Refuse();
            }
        }

        static long Whole(double value)
        {
            if (Math.Floor(value) != value || Math.Abs(value) > 1L << 53) return Refuse();
            return (long)value;
        }

        static long? Parse(string text)
        {
            long value;
            if (text == "") return null;
            return long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out value) ? value : Refuse();
        }

        static long Refuse()
        {
            throw new JsonSerializationException("Could not convert the value to an integer.");
        }

        public override void WriteJson(JsonWriter writer, object value, JsonSerializer serializer)
        {
            throw new NotSupportedException();
        }
    }

    static class Writer
    {
        public static string Results(List<CancellationCreationResult> results, Format format, Behaviour behaviour)
        {
            if (format == Format.Json) return Json(results, behaviour);
            if (!behaviour.LeaveOutNulls) return Xml(results, behaviour);
            var sparse = results.Select(SparseResult.Of).ToList();
            return Xml(sparse, behaviour);
        }

        // The one result of the call for one order; nothing but a fault takes it away.
        public static string Result(CancellationCreationResult result, Format format, Behaviour behaviour)
        {
            if (format == Format.Json) return Json(result, behaviour);
            if (result == null || !behaviour.LeaveOutNulls) return Xml(result, typeof(CancellationCreationResult), behaviour);
            return Xml(SparseResult.Of(result), behaviour);
        }

        public static string Text(string text, Format format, Behaviour behaviour)
        {
            return format == Format.Json ? Json(text, behaviour) : Xml(text, behaviour);
        }

        // The framework's own shape of an error.
        public static string FrameworkError(string message, Format format, Behaviour behaviour)
        {
            if (format == Format.Json) return Json(new Dictionary<string, string> { { "Message", message } }, behaviour);
            var text = new StringBuilder();
            using (var writer = XmlWriter.Create(text, Settings(behaviour)))
            {
                writer.WriteStartElement("Error");
                writer.WriteElementString("Message", message);
                writer.WriteEndElement();
            }
            return text.ToString();
        }

        static string Json(object value, Behaviour behaviour)
        {
            var settings = new JsonSerializerSettings();
            if (behaviour.LeaveOutNulls) settings.NullValueHandling = NullValueHandling.Ignore;
            return JsonConvert.SerializeObject(value, behaviour.Indent ? Newtonsoft.Json.Formatting.Indented : Newtonsoft.Json.Formatting.None, settings);
        }

        static string Xml(object value, Behaviour behaviour)
        {
            return Xml(value, value.GetType(), behaviour);
        }

        static string Xml(object value, Type type, Behaviour behaviour)
        {
            var serializer = new DataContractSerializer(type);
            if (behaviour.PrefixA) return Dictionary(serializer, value);
            var text = new StringBuilder();
            using (var writer = XmlWriter.Create(text, Settings(behaviour))) serializer.WriteObject(writer, value);
            return text.ToString();
        }

        static XmlWriterSettings Settings(Behaviour behaviour)
        {
            return new XmlWriterSettings { OmitXmlDeclaration = true, Indent = behaviour.Indent };
        }

        // The dictionary writer chooses the prefix `a` where the plain one says `d3p1`.
        static string Dictionary(DataContractSerializer serializer, object value)
        {
            var bytes = new MemoryStream();
            using (var writer = XmlDictionaryWriter.CreateTextWriter(bytes, Negotiation.Utf8)) serializer.WriteObject(writer, value);
            return Negotiation.Utf8.GetString(bytes.ToArray());
        }
    }
}
